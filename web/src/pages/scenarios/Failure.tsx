// Where a scenario first went another way: what was expected and what came, side by side.
import { useEffect, useRef } from 'react';
import { Badge, Card, IconButton, toText } from '../../ui';
import { useCommon } from '../../i18n/common';
import { X } from 'lucide-react';
import { JsonDiff } from '../common/JsonDiff';
import { fieldsOf, pretty, type Case, type Divergence, type FieldRow } from './cases';
import { divergenceOf } from './report';
import { useScenarioText } from './text';

/** One that failed, or why one was skipped. `isAsked`: a person picked it, so it comes into view and gets the focus. */
export function Failure({ one, isAsked, onClose }: { one: Case; isAsked: boolean; onClose: () => void }) {
  const t = useScenarioText();
  const common = useCommon();
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isAsked) return;
    frame.current?.scrollIntoView({ block: 'nearest' });
    frame.current?.focus({ preventScroll: true });
  }, [one.name, isAsked]);
  const isFailed = one.verdict === 'failed';
  const found = isFailed ? (one.found ?? divergenceOf(one.text)) : null;
  return (
    <div ref={frame} tabIndex={-1} className="failure" data-case={one.name}>
      <Card
        tone={isFailed ? 'bad' : 'plain'}
        title={
          <h2>
            {isFailed ? t.firstDivergence : t.skippedBecause} <span className="mono failure__name">{one.name}</span>
          </h2>
        }
        actions={
          <IconButton label={common.close} size="small" onClick={onClose}>
            <X size={15} aria-hidden />
          </IconButton>
        }
      >
        {!isFailed && <p>{one.text || t.noReason}</p>}
        {isFailed && (found ? <Shown found={found} /> : <p>{t.otherForm}</p>)}
        {isFailed && one.text && (
          <details open={!found}>
            <summary>{t.asWritten}</summary>
            <pre className="json" tabIndex={0}>
              {one.text}
            </pre>
          </details>
        )}
      </Card>
    </div>
  );
}

function Shown({ found }: { found: Divergence }) {
  const t = useScenarioText();
  const fields = fieldsOf(found);
  return (
    <>
      <p>
        <span className="mono">{found.where}</span> {found.boundary !== undefined && <Badge tone="warn">{t.crashAt(found.boundary)}</Badge>}
      </p>
      {found.differs.map((text) => (
        <p key={text}>
          <strong>{t.differs}</strong> <code>{text}</code>
        </p>
      ))}
      {fields && <Fields rows={fields} />}
      {!fields && (found.expected !== '' || found.came !== '') && (
        <JsonDiff
          left={found.expected === '' ? t.nothing : pretty(found.expected)}
          right={found.came === '' ? t.nothing : pretty(found.came)}
          leftTitle={t.expected}
          rightTitle={t.came}
          caption={t.firstDivergence}
        />
      )}
      {(found.before.length > 0 || found.thenExpected.length > 0 || found.thenCame.length > 0) && (
        <details>
          <summary>{t.around}</summary>
          <div className="follows">
            {(['before', 'thenExpected', 'thenCame'] as const).map(
              (side) =>
                found[side].length > 0 && (
                  <section key={side} aria-label={t[side]}>
                    <h3>
                      {t[side]} <Badge>{found[side].length}</Badge>
                    </h3>
                    {found[side].map((text, i) => (
                      <pre key={i} className="json" tabIndex={0}>
                        {pretty(text)}
                      </pre>
                    ))}
                  </section>
                ),
            )}
          </div>
        </details>
      )}
    </>
  );
}

/** Objects are compared by subset, so a field that nobody expected is no difference, and is shown last. */
function Fields({ rows }: { rows: readonly FieldRow[] }) {
  const t = useScenarioText();
  const cell = (value: unknown) => (value === undefined ? null : toText(value));
  return (
    <div className="diff" tabIndex={0} role="region" aria-label={t.firstDivergence}>
      <table className="fields">
        <caption className="hidden-text">{t.firstDivergence}</caption>
        <thead>
          <tr>
            <th scope="col">{t.field}</th>
            <th scope="col">{t.expected}</th>
            <th scope="col">{t.came}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name} data-differs={row.differs || undefined} className={row.expected === undefined ? 'muted' : undefined}>
              <th scope="row">{row.name}</th>
              <td className={row.differs ? 'diff__old' : undefined}>{row.expected === undefined ? t.notCompared : cell(row.expected)}</td>
              <td className={row.differs ? 'diff__new' : undefined}>{cell(row.came)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
