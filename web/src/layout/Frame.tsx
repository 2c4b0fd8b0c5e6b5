// The frame around every page: navigation, and the choices of language and colours.
import { useState, type ReactNode } from 'react';
import { LogOut, SlidersHorizontal } from 'lucide-react';
import { Link, useLocation } from 'wouter';
import { signOut, useToken } from '../api';
import { chooseLanguage, languages, useLanguage, type Language } from '../i18n';
import icon from '../icon.svg';
import { useCommon } from '../i18n/common';
import { pages } from '../pages';
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

function Navigation() {
  const t = useCommon();
  const [at] = useLocation();
  const pending = usePendingApprovals();
  const [choosing, setChoosing] = useState(false);
  return (
    <nav className="nav" aria-label={t.navigation}>
      <div className="nav__brand">
        <img src={icon} alt="" />
        <span>{t.product}</span>
      </div>
      {pages.map(({ name, path, icon: Icon }) => (
        <Link
          key={name}
          href={path}
          className="nav__link"
          title={t.pages[name]}
          aria-current={at === path || at.startsWith(`${path}/`) ? 'page' : undefined}
        >
          <Icon size={18} aria-hidden />
          <span>{t.pages[name]}</span>
          {name === 'approvals' && pending > 0 && (
            <span className="nav__count">
              <Badge tone="warn">
                <span aria-hidden="true">{pending}</span>
                <span className="hidden-text">{t.pendingApprovals(pending)}</span>
              </Badge>
            </span>
          )}
        </Link>
      ))}
      <div className="nav__foot">
        <Choices />
      </div>
      <IconButton className="nav__more" label={t.preferences} onClick={() => setChoosing(true)}>
        <SlidersHorizontal size={18} aria-hidden />
      </IconButton>
      <Dialog open={choosing} title={t.preferences} onClose={() => setChoosing(false)}>
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
