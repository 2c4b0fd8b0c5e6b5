import type { ReactNode } from 'react';

export function Card(props: {
  title?: ReactNode;
  actions?: ReactNode;
  tone?: 'plain' | 'accent' | 'warn' | 'bad';
  label?: string;
  className?: string;
  children?: ReactNode;
}) {
  const { title, actions, tone = 'plain', label, className, children } = props;
  return (
    <section className={`card card--${tone} ${className ?? ''}`} aria-label={label}>
      {(title || actions) && (
        <div className="card__head">
          {typeof title === 'string' ? <h2>{title}</h2> : title}
          {actions && <div className="row">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

export type Tone = 'neutral' | 'ok' | 'warn' | 'bad' | 'info' | 'accent';

export const Badge = ({ tone = 'neutral', children }: { tone?: Tone; children: ReactNode }) => (
  <span className={`badge badge--${tone}`}>{children}</span>
);

/** `share` from 0 to 1 and beyond; the words beside it say the same, so it is not read out. */
export function Meter({ share }: { share: number }) {
  const tone = share >= 1 ? 'bad' : share >= 0.8 ? 'warn' : 'plain';
  const width = `${Math.max(0, Math.min(1, Number.isFinite(share) ? share : 0)) * 100}%`;
  return (
    <div className={`meter meter--${tone}`} aria-hidden="true">
      <div className="meter__bar" style={{ width }} />
    </div>
  );
}
