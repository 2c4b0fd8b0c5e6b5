// Small pieces that several pages show alike.
import type { ReactNode } from 'react';
import { RefreshCw } from 'lucide-react';
import { Link } from 'wouter';
import { Badge, Button, ErrorNote, Field, IconButton, Select, Spinner, type Tone } from '../../ui';
import type { Pages } from './usePages';
import { chooseProject, type Setup } from './useProjects';
import { useRecords } from './words';
import './common.css';

export function PageFrame(props: { title: string; about?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  return (
    <div className="page">
      <header className="page__head">
        <div className="page-head__text">
          <h1>{props.title}</h1>
          {props.about && <p className="muted">{props.about}</p>}
        </div>
        {props.actions && <div className="row">{props.actions}</div>}
      </header>
      {props.children}
    </div>
  );
}

export function Reload({ loading, onClick }: { loading: boolean; onClick: () => void }) {
  const t = useRecords();
  return (
    <IconButton label={t.reload} onClick={onClick} variant="plain">
      {loading ? <Spinner /> : <RefreshCw size={16} aria-hidden />}
    </IconButton>
  );
}

export function ProjectField({ setup, value }: { setup: Setup | undefined; value: string }) {
  const t = useRecords();
  if (!setup || setup.projects.length < 2) return null;
  return (
    <Field label={t.project}>
      {(p) => (
        <Select {...p} value={value} onChange={(e) => chooseProject(e.target.value)}>
          {setup.projects.map((project) => (
            <option key={project.id} value={project.id}>
              {project.name}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

/** A filter with a fixed set of values; the empty one is "any". */
export function Pick<T extends string>(props: {
  label: string;
  value: T | '';
  options: readonly { id: T; name: string }[];
  onChange: (value: T | '') => void;
}) {
  const t = useRecords();
  return (
    <Field label={props.label}>
      {(p) => (
        <Select {...p} value={props.value} onChange={(e) => props.onChange(e.target.value as T | '')}>
          <option value="">{t.any}</option>
          {props.options.map((o) => (
            <option key={o.id} value={o.id}>
              {o.name}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

/** Below a list: how much of it is shown, more, and what went wrong while more was read. */
export function ListFoot<T>({ pages, shown }: { pages: Pages<T>; shown?: number }) {
  const t = useRecords();
  return (
    <>
      {pages.error !== null && <ErrorNote error={pages.error} onRetry={pages.reload} />}
      {pages.total !== undefined && (
        <div className="row list-foot" role="status">
          <span className="muted">
            {shown !== undefined && shown !== pages.items.length
              ? t.filtered(shown, pages.items.length, pages.total)
              : t.shown(pages.items.length, pages.total)}
          </span>
          {pages.hasMore && (
            <Button size="small" busy={pages.loading} onClick={pages.more}>
              {t.more}
            </Button>
          )}
        </div>
      )}
    </>
  );
}

export interface Fact {
  name: string;
  value: ReactNode;
}
export function Facts({ facts }: { facts: readonly (Fact | null | false)[] }) {
  return (
    <dl className="facts">
      {facts.map(
        (fact) =>
          fact && (
            <div key={fact.name}>
              <dt>{fact.name}</dt>
              <dd>{fact.value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

const tones: Record<string, Tone> = {
  running: 'info', queued: 'neutral', parked: 'warn', completed: 'ok', failed: 'bad', cancelled: 'neutral',
  ok: 'ok', open: 'info', pending: 'warn', approved: 'ok', denied: 'bad', expired: 'neutral', revoked: 'neutral',
  active: 'ok', paused: 'warn', closed: 'neutral', low: 'neutral', medium: 'warn', high: 'bad', ready: 'ok', passed: 'ok', skipped: 'neutral',
};

/** A word of the server's, translated where it is known, never swallowed where it is not. */
export function Word({ value }: { value: string }) {
  const t = useRecords();
  const words: Readonly<Record<string, string>> = t.words;
  return <Badge tone={tones[value] ?? 'neutral'}>{words[value] ?? value}</Badge>;
}

/** The end of an id is what differs between neighbours. */
export const shortId = (id: string): string => (id.length > 13 ? `…${id.slice(-8)}` : id);

export function SessionLink({ id, title }: { id: string; title?: string }) {
  const t = useRecords();
  return (
    <Link href={`/sessions/${id}`} aria-label={t.openSession(title || shortId(id))} title={id} className={title ? 'session-link' : 'mono nowrap'}>
      {title || shortId(id)}
    </Link>
  );
}

export function Command({ text }: { text: string }) {
  const t = useRecords();
  return (
    <div className="command">
      <code tabIndex={0}>{text}</code>
      {/* Browsers give it to pages of this machine and to those with TLS only. */}
      {'clipboard' in navigator && (
        <Button size="small" onClick={() => void navigator.clipboard.writeText(text)}>
          {t.copy}
        </Button>
      )}
    </div>
  );
}

/** Gives the user a file that was made here. */
export function saveFile(name: string, content: string | Blob, type: string): void {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The click only starts the download.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
