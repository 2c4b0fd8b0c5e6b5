// What a page shows while it has nothing, or nothing good, to show.
import type { ReactNode } from 'react';
import { useCommon } from '../i18n/common';
import { explain } from './errors';

/** Without a label it is decoration beside words that say the same. */
export function Spinner({ label }: { label?: string }) {
  if (!label) return <span className="spinner" aria-hidden="true" />;
  return (
    <span role="status">
      <span className="spinner" aria-hidden="true" /> <span>{label}</span>
    </span>
  );
}

export const Loading = () => {
  const t = useCommon();
  return (
    <div className="empty">
      <Spinner label={t.loading} />
    </div>
  );
};

export function EmptyState(props: { icon?: ReactNode; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      {props.icon}
      <h2>{props.title}</h2>
      {props.children && <div>{props.children}</div>}
      {props.action}
    </div>
  );
}

export function Note({ tone = 'info', children }: { tone?: 'info' | 'warn' | 'bad'; children: ReactNode }) {
  return <div className={`note note--${tone}`}>{children}</div>;
}

/** An error where it happened: what the server said, what to do, and a button that tries again where that may help. */
export function ErrorNote(props: { error: unknown; onRetry?: () => void; onClose?: () => void }) {
  const t = useCommon();
  const { text, remedy, code } = explain(props.error, t.errors);
  return (
    <div className="note note--bad" role="alert">
      <div className="note__text">
        <strong>{text}</strong>
        {code && <span className="mono"> {code}</span>}
        {remedy && <div>{remedy}</div>}
      </div>
      {props.onRetry && (
        <button type="button" className="button button--small" onClick={props.onRetry}>
          {t.retry}
        </button>
      )}
      {props.onClose && (
        <button type="button" className="button button--small" onClick={props.onClose}>
          {t.close}
        </button>
      )}
    </div>
  );
}
