// The frame around every page: navigation, and the choices of language and colours.
import { useState, type ReactNode } from 'react';
import { LogOut, MoreHorizontal } from 'lucide-react';
import { Link, useLocation } from 'wouter';
import { signOut, useToken } from '../api';
import { chooseLanguage, languages, useLanguage, type Language } from '../i18n';
import icon from '../icon.svg';
import { useCommon } from '../i18n/common';
import { pages, type Page } from '../pages';
import { useStore } from '../store';
import { chooseTheme, theme, type Theme } from '../theme';
import { Badge, Button, Dialog, IconButton, Select } from '../ui';
import { usePendingApprovals } from './usePendingApprovals';

function Choices() {
  const t = useCommon();
  const language = useLanguage();
  const chosen = useStore(theme);
  const hasToken = useToken() !== null;
  return (
    <>
      <label className="nav__pick">
        {t.language}
        <Select value={language} onChange={(e) => chooseLanguage(e.target.value as Language)}>
          {languages.map((l) => (
            <option key={l.id} value={l.id} lang={l.id}>
              {l.name}
            </option>
          ))}
        </Select>
      </label>
      <label className="nav__pick">
        {t.theme}
        <Select value={chosen} onChange={(e) => chooseTheme(e.target.value as Theme)}>
          {(['system', 'light', 'dark'] as const).map((name) => (
            <option key={name} value={name}>
              {t.themes[name]}
            </option>
          ))}
        </Select>
      </label>
      {hasToken && (
        <Button variant="quiet" icon={<LogOut size={16} aria-hidden />} onClick={signOut}>
          {t.signIn.out}
        </Button>
      )}
    </>
  );
}

/** On a phone these are behind the last button of the bar, with the choices. */
const others = pages.filter(({ name }) => name === 'scenarios' || name === 'settings' || name === 'api');

function PageLink(props: { page: Page; pending?: number; onPick?: () => void }) {
  const { name, path, icon: Icon } = props.page;
  const { pending = 0, onPick } = props;
  const t = useCommon();
  const [at] = useLocation();
  return (
    <Link
      href={path}
      className={`nav__link ${others.includes(props.page) ? 'nav__link--other' : ''}`}
      title={t.pages[name]}
      aria-current={isAt(at, path) ? 'page' : undefined}
      onClick={onPick}
    >
      <Icon size={18} aria-hidden />
      <span>{t.pages[name]}</span>
      {pending > 0 && (
        <span className="nav__count">
          <Badge tone="warn">
            <span aria-hidden="true">{pending > 99 ? '99+' : pending}</span>
            <span className="hidden-text">{t.pendingApprovals(pending)}</span>
          </Badge>
        </span>
      )}
    </Link>
  );
}

const isAt = (at: string, path: string): boolean => at === path || at.startsWith(`${path}/`);

function Navigation() {
  const t = useCommon();
  const [at] = useLocation();
  const pending = usePendingApprovals();
  const [choosing, setChoosing] = useState(false);
  const close = () => setChoosing(false);
  return (
    <nav className="nav" aria-label={t.navigation}>
      <div className="nav__brand">
        <img src={icon} alt="" />
        <span>{t.product}</span>
      </div>
      {pages.map((page) => (
        <PageLink key={page.name} page={page} pending={page.name === 'approvals' ? pending : 0} />
      ))}
      <div className="nav__foot">
        <Choices />
      </div>
      <IconButton
        className={`nav__more ${others.some(({ path }) => isAt(at, path)) ? 'is-current' : ''}`}
        label={t.preferences}
        onClick={() => setChoosing(true)}
      >
        <MoreHorizontal size={18} aria-hidden />
      </IconButton>
      <Dialog open={choosing} title={t.preferences} onClose={close}>
        <div className="nav__others">
          {others.map((page) => (
            <PageLink key={page.name} page={page} onPick={close} />
          ))}
        </div>
        <Choices />
      </Dialog>
    </nav>
  );
}

export function Frame({ children }: { children: ReactNode }) {
  const t = useCommon();
  const toContent = () => document.getElementById('content')?.focus();
  return (
    <div className="frame">
      <button type="button" className="skip" onClick={toContent}>
        {t.skip}
      </button>
      <Navigation />
      <main className="main" id="content" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}
