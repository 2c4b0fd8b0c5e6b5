// The agents of every project, and the way to make another one.
import { Plus } from 'lucide-react';
import { Link, useLocation } from 'wouter';
import type { Agent } from 'troupe-client';
import { Badge, Card, Count, Duration, EmptyState, ErrorNote, Loading, Money, Note, Time } from '../../../ui';
import { Facts, Word } from '../../common/parts';
import { useSetup } from '../../common/useProjects';
import { useSettingsText } from '../text';
import { useAgentsText } from './text';
import { useAccess, type Access } from './useAccess';

export const agentPath = (project: string, agent: string): string => `/settings/agents/at/${encodeURIComponent(project)}/${encodeURIComponent(agent)}`;
export const newPath = (project: string, copyOf = ''): string =>
  `/settings/agents/new/${encodeURIComponent(project)}${copyOf && `/${encodeURIComponent(copyOf)}`}`;

export function AgentList() {
  const t = useSettingsText();
  const setup = useSetup();
  return (
    <div className="stack">
      {setup.error !== null && <ErrorNote error={setup.error} onRetry={setup.reload} />}
      {!setup.data && setup.loading && <Loading />}
      {setup.data?.projects.map((project) => (
        <section key={project.id} className="stack" aria-label={t.projectNamed(project.name)}>
          <OfProject id={project.id} name={project.name} agents={setup.data?.agents.filter((a) => a.projectId === project.id) ?? []} />
        </section>
      ))}
    </div>
  );
}

function OfProject({ id, name, agents }: { id: string; name: string; agents: readonly Agent[] }) {
  const t = useSettingsText();
  const e = useAgentsText();
  const access = useAccess(id);
  return (
    <>
      <div className="row bar">
        <h2 className="grow">{t.projectNamed(name)}</h2>
        {access.data === 'editor' && (
          <Link href={newPath(id)} className="button button--primary">
            <Plus size={16} aria-hidden /> {e.make}
          </Link>
        )}
      </div>
      {access.error !== null && <ErrorNote error={access.error} onRetry={access.reload} />}
      <AccessNote access={access.data} />
      {agents.length === 0 && <EmptyState title={e.noAgents} />}
      <div className="agents">
        {agents.map((a) => (
          <One key={a.id} agent={a} access={access.data} />
        ))}
      </div>
    </>
  );
}

/** Why nothing can be edited, where nothing can. */
export function AccessNote({ access }: { access: Access | undefined }) {
  const e = useAgentsText();
  if (access !== 'reader' && access !== 'older') return null;
  return (
    <Note>
      <span className="note__text">{access === 'reader' ? e.onlyAdmins : e.olderServer}</span>
    </Note>
  );
}

export function SourceBadges({ agent: a }: { agent: Agent }) {
  const t = useSettingsText();
  const e = useAgentsText();
  return (
    <>
      {a.isDefault && <Badge tone="accent">{t.isDefault}</Badge>}
      {a.source === 'stored' && <Badge tone="info">{a.version === null ? e.stored : e.storedVersion(a.version)}</Badge>}
      {a.source === 'configuration' && <Badge>{e.ofFile}</Badge>}
    </>
  );
}

/** A stored definition that fits the configuration file no longer: nobody can use the agent until it is mended. */
export function AgentProblem({ agent }: { agent: Agent & { problem?: string } }) {
  const e = useAgentsText();
  if (!agent.problem) return null;
  return (
    <Note tone="bad">
      <span className="note__text">
        {e.unusable} <span lang="en">{agent.problem}</span>
      </span>
    </Note>
  );
}

function One({ agent: a, access }: { agent: Agent; access: Access | undefined }) {
  const t = useSettingsText();
  const e = useAgentsText();
  const [, go] = useLocation();
  const path = agentPath(a.projectId, a.id);
  return (
    <Card
      title={
        <h3>
          {access === 'editor' ? <Link href={path}>{a.name}</Link> : a.name} <span className="mono muted">{a.id}</span>
        </h3>
      }
      actions={<SourceBadges agent={a} />}
    >
      <AgentProblem agent={a} />
      {a.description && <p>{a.description}</p>}
      <Facts
        facts={[
          { name: t.provider, value: <code>{a.provider}</code> },
          { name: t.model, value: <code>{a.model}</code> },
          { name: t.onBusy, value: <code>{a.onBusy}</code> },
          { name: t.maxSteps, value: <Count value={a.limits.maxSteps} /> },
          { name: t.budget, value: a.limits.budgetUsd === null ? t.noBudget : <Money usd={a.limits.budgetUsd} /> },
          { name: t.approvalTimeout, value: <Duration ms={a.limits.approvalTimeoutMs} /> },
          a.source === 'stored' && { name: e.changed, value: <Changed agent={a} /> },
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
      <div className="row">
        {access === 'editor' && (
          <>
            <button type="button" className="button button--small" aria-label={a.source === 'stored' ? e.editNamed(a.name) : e.lookNamed(a.name)} onClick={() => go(path)}>
              {a.source === 'stored' ? e.edit : e.look}
            </button>
            <button type="button" className="button button--small" aria-label={`${e.copyOf}: ${a.name}`} onClick={() => go(newPath(a.projectId, a.id))}>
              {e.copyOf}
            </button>
          </>
        )}
        <Link className="small" href="/settings/limits">
          {t.tabs.limits}
        </Link>
      </div>
    </Card>
  );
}

function Changed({ agent: a }: { agent: Agent }) {
  const e = useAgentsText();
  return (
    <>
      <Time at={a.updatedAt} /> {a.updatedBy && <span className="muted">{e.by(a.updatedBy)}</span>}
    </>
  );
}
