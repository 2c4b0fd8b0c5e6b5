import { Link } from 'wouter';
import type { Agent } from 'troupe-client';
import { Badge, Card, Count, Duration, ErrorNote, Loading, Money, Note } from '../../ui';
import { Facts, Word } from '../common/parts';
import { useSetup } from '../common/useProjects';
import { useSettingsText } from './text';

export function Agents() {
  const t = useSettingsText();
  const setup = useSetup();
  return (
    <div className="stack">
      <Note>
        <span className="note__text">
          <strong>{t.noEditing}</strong> {t.noEditingHow}
        </span>
      </Note>
      {setup.error !== null && <ErrorNote error={setup.error} onRetry={setup.reload} />}
      {!setup.data && setup.loading && <Loading />}
      {setup.data?.projects.map((project) => (
        <section key={project.id} className="stack" aria-label={t.projectNamed(project.name)}>
          <h2>{t.projectNamed(project.name)}</h2>
          <div className="agents">
            {setup.data?.agents.filter((a) => a.projectId === project.id).map((a) => <One key={a.id} agent={a} />)}
          </div>
        </section>
      ))}
    </div>
  );
}

function One({ agent: a }: { agent: Agent }) {
  const t = useSettingsText();
  return (
    <Card
      title={
        <h3>
          {a.name} <span className="mono muted">{a.id}</span>
        </h3>
      }
      actions={a.isDefault && <Badge tone="accent">{t.isDefault}</Badge>}
    >
      {a.description && <p>{a.description}</p>}
      <Facts
        facts={[
          { name: t.provider, value: <code>{a.provider}</code> },
          { name: t.model, value: <code>{a.model}</code> },
          { name: t.onBusy, value: <code>{a.onBusy}</code> },
          { name: t.maxSteps, value: <Count value={a.limits.maxSteps} /> },
          { name: t.budget, value: a.limits.budgetUsd === null ? t.noBudget : <Money usd={a.limits.budgetUsd} /> },
          { name: t.approvalTimeout, value: <Duration ms={a.limits.approvalTimeoutMs} /> },
        ]}
      />
      <div>
        <h4 className="chips__title">{t.tools(a.tools.length)}</h4>
        {a.tools.length > 0 && (
          <ul className="chips">
            {a.tools.map((tool) => (
              <li key={tool}>
                <code>{tool}</code> {a.approval[tool] && <Word value={a.approval[tool]} />}
              </li>
            ))}
          </ul>
        )}
      </div>
      <p className="muted small">
        {t.hidden} <Link href="/settings/limits">{t.tabs.limits}</Link>
      </p>
    </Card>
  );
}
