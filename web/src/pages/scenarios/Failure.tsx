// Where a scenario first went another way: what was expected and what came, side by side.
import { Card } from '../../ui';
import { JsonDiff } from '../common/JsonDiff';
import { divergenceOf, pretty, type Case } from './report';
import { useScenarioText } from './text';

export function Failure({ one }: { one: Case }) {
  const t = useScenarioText();
  const found = divergenceOf(one.text);
  return (
    <Card tone="bad" title={t.firstDivergence} className="failure">
      {found ? (
        <>
          <p className="mono">{found.where}</p>
          {found.differs.map((text) => (
            <p key={text}>
              <strong>{t.differs}</strong> <code>{text}</code>
            </p>
          ))}
          <JsonDiff left={pretty(found.expected)} right={pretty(found.came)} leftTitle={t.expected} rightTitle={t.came} caption={t.firstDivergence} />
          {(found.thenExpected.length > 0 || found.thenCame.length > 0) && (
            <details>
              <summary>{t.whatFollows}</summary>
              <JsonDiff
                left={found.thenExpected.map(pretty).join('\n')}
                right={found.thenCame.map(pretty).join('\n')}
                leftTitle={t.thenExpected}
                rightTitle={t.thenCame}
                caption={t.whatFollows}
              />
            </details>
          )}
        </>
      ) : (
        <p>{t.otherForm}</p>
      )}
      <details open={!found}>
        <summary>{t.asWritten}</summary>
        <pre className="json" tabIndex={0}>
          {one.text}
        </pre>
      </details>
    </Card>
  );
}
