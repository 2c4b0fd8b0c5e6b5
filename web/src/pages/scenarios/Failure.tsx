// Where a scenario first went another way: what was expected and what came, side by side.
import { Card, toText } from '../../ui';
import { JsonDiff } from '../common/JsonDiff';
import { divergenceOf, fieldsOf, pretty, type Divergence, type FieldRow } from './report';
import type { Case } from './report';
import { useScenarioText } from './text';

export function Failure({ one }: { one: Case }) {
  const t = useScenarioText();
  const found = divergenceOf(one.text);
  return (
    <Card tone="bad" title={t.firstDivergence} className="failure">
      {found ? <Shown found={found} /> : <p>{t.otherForm}</p>}
      <details open={!found}>
        <summary>{t.asWritten}</summary>
        <pre className="json" tabIndex={0}>
          {one.text}
        </pre>
      </details>
    </Card>
  );
}

function Shown({ found }: { found: Divergence }) {
  const t = useScenarioText();
  const fields = fieldsOf(found);
  return (
    <>
      <p className="mono">{found.where}</p>
      {found.differs.map((text) => (
        <p key={text}>
          <strong>{t.differs}</strong> <code>{text}</code>
        </p>
      ))}
      {fields ? (
        <Fields rows={fields} />
      ) : (
        <JsonDiff left={pretty(found.expected)} right={pretty(found.came)} leftTitle={t.expected} rightTitle={t.came} caption={t.firstDivergence} />
      )}
      {(found.thenExpected.length > 0 || found.thenCame.length > 0) && (
        <details>
          <summary>{t.whatFollows}</summary>
          <div className="follows">
            {(['thenExpected', 'thenCame'] as const).map((side) => (
              <section key={side} aria-label={t[side]}>
                <h3>{t[side]}</h3>
                {found[side].map((text, i) => (
                  <pre key={i} className="json" tabIndex={0}>
                    {pretty(text)}
                  </pre>
                ))}
              </section>
            ))}
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
