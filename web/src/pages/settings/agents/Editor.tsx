// One agent: what is needed to edit it is read first. Those who may not are told why.
import { ArrowLeft } from 'lucide-react';
import { Link } from 'wouter';
import { api } from '../../../api';
import { ErrorNote, Loading, useAsync } from '../../../ui';
import { readAll, useSetup } from '../../common/useProjects';
import { AccessNote } from './List';
import { OfFile } from './OfFile';
import { useAgentsText } from './text';
import { useAccess } from './useAccess';
import { draftOf, type Draft } from './useDraft';
import { Workbench } from './Workbench';

const fresh: Draft = { id: '', text: '{}', note: '', version: null, stored: null };

/** `agent` is empty for a new one, which begins as a copy of `copyOf`, or with nothing. */
export function AgentEditor({ project, agent, copyOf }: { project: string; agent: string; copyOf: string }) {
  const e = useAgentsText();
  const access = useAccess(project);
  const setup = useSetup();
  const tools = useAsync((signal) => readAll((query) => api.client.server.tools(query, { signal })), []);
  const from = agent || copyOf;
  const mayRead = access.data === 'editor' && from !== '';
  const record = useAsync(
    async (signal) => (mayRead ? api.client.agents.definition(project, from, { signal }) : null),
    [project, from, mayRead],
  );
  const parts = [access, setup, tools, record] as const;
  const failed = parts.find((part) => part.error !== null);
  const isThere = setup.data && tools.data && (record.data?.id === from || from === '');
  const show = () => {
    if (failed) return <ErrorNote error={failed.error} onRetry={() => parts.forEach((part) => part.reload())} />;
    if (access.data === 'reader' || access.data === 'older') return <AccessNote access={access.data} />;
    if (access.data !== 'editor' || !setup.data || !tools.data || !isThere) return <Loading />;
    if (agent !== '' && record.data?.source === 'configuration')
      return <OfFile project={project} record={record.data} setup={setup.data} />;
    const initial: Draft = record.data
      ? agent !== ''
        ? draftOf(record.data)
        : { ...draftOf(record.data), id: `${record.data.id}-copy`, version: null, stored: null }
      : fresh;
    return (
      <Workbench
        key={`${project}/${agent}/${copyOf}`}
        project={project}
        agent={agent}
        copyOf={copyOf}
        initial={initial}
        setup={setup.data}
        tools={tools.data}
        onStored={setup.reload}
      />
    );
  };
  return (
    <div className="stack">
      <Link href="/settings/agents" className="back">
        <ArrowLeft size={16} aria-hidden /> {e.allAgents}
      </Link>
      {show()}
    </div>
  );
}
