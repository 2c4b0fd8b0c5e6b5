// An agent of the configuration file: it is shown, copied and tried here, and changed there.
import { Suspense, lazy, useState } from 'react';
import { Copy, MessageSquare } from 'lucide-react';
import { Link } from 'wouter';
import type { AgentDefinitionRecord } from 'troupe-client';
import { Button, Json, Loading, Note } from '../../../ui';
import type { Setup } from '../../common/useProjects';
import { newPath, SourceBadges } from './List';
import { useAgentsText } from './text';

const Trial = lazy(() => import('./Trial'));

export function OfFile({ project, record, setup }: { project: string; record: AgentDefinitionRecord; setup: Setup }) {
  const e = useAgentsText();
  const [isTrying, setTrying] = useState(false);
  const agent = setup.agents.find((a) => a.projectId === project && a.id === record.id);
  return (
    <div className={isTrying ? 'workbench' : undefined}>
      <div className="stack">
        <div className="row">
          <h2>
            {agent?.name ?? record.id} <span className="mono muted">{record.id}</span>
          </h2>
          {agent && <SourceBadges agent={agent} />}
        </div>
        <Note>
          <span className="note__text">{e.inFile(`projects → ${project} → agents → ${record.id}`)}</span>
        </Note>
        <div className="row">
          <Link className="button button--primary" href={newPath(project, record.id)}>
            <Copy size={16} aria-hidden /> {e.copyStored}
          </Link>
          <Button icon={<MessageSquare size={16} aria-hidden />} aria-expanded={isTrying} onClick={() => setTrying(!isTrying)}>
            {isTrying ? e.closeTrial : e.tryIt}
          </Button>
        </div>
        <h3>{e.definition}</h3>
        <Json value={record.definition} label={e.definition} />
      </div>
      {isTrying && (
        <Suspense fallback={<Loading />}>
          <Trial project={project} agent={record.id} version={null} agents={setup.agents} />
        </Suspense>
      )}
    </div>
  );
}
