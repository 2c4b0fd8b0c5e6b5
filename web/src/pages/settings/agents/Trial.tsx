// A conversation with the agent as it is stored, beside its form. The parts are those of the Chat page.
import { useEffect, useState } from 'react';
import { MessageSquarePlus } from 'lucide-react';
import type { Agent } from 'troupe-client';
import { api } from '../../../api';
import { Button, ErrorNote, Loading } from '../../../ui';
import { Conversation } from '../../chat/Conversation';
import '../../chat/chat.css';
import '../../chat/message.css';
import { useAgentsText } from './text';

const nothing = () => {};

export default function Trial({ project, agent, version, agents }: { project: string; agent: string; version: number | null; agents: readonly Agent[] }) {
  const e = useAgentsText();
  const [session, setSession] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isGone = false;
    setSession('');
    setError(null);
    (async () => {
      const { id } = await api.client.sessions.create(project, { agentId: agent });
      await api.client.sessions.update(id, { title: e.trialTitle(agent) });
      if (!isGone) setSession(id);
    })().catch((failure: unknown) => isGone || setError(failure));
    return () => void (isGone = true);
  }, [project, agent, turn]);
  return (
    <section className="trial" aria-label={e.trial(agent)}>
      <div className="row trial__head">
        <p className="muted small grow">{version === null ? e.trialOfFile : e.trialUses(version)}</p>
        <Button size="small" icon={<MessageSquarePlus size={14} aria-hidden />} onClick={() => setTurn((n) => n + 1)}>
          {e.trialAgain}
        </Button>
      </div>
      {error !== null && <ErrorNote error={error} onRetry={() => setTurn((n) => n + 1)} />}
      {session === '' && error === null && <Loading />}
      {session !== '' && (
        <Conversation key={session} sessionId={session} place={undefined} agents={agents} isListOpen={false} onList={nothing} onChanged={nothing} />
      )}
    </section>
  );
}
