// Nothing is said yet: who should answer, and the first message, which makes the session.
import { useEffect, useRef, useState } from 'react';
import { Bot } from 'lucide-react';
import icon from '../../icon.svg';
import { useLocation } from 'wouter';
import type { Agent } from 'troupe-client';
import { api } from '../../api';
import { remember, remembered } from '../../store';
import { Button, EmptyState, ErrorNote, Field, Loading, Select } from '../../ui';
import { Composer, type ComposerHandle } from './Composer';
import { drafts } from './drafts';
import type { useAgents } from './useAgents';
import { awaitsTitle } from '../common/useSessionNames';
import { useWords } from './words';

const key = 'troupe.agent';
const nameOf = (agent: Agent) => `${agent.projectId}/${agent.id}`;
const nothing = () => {};

export function NewChat({ agents }: { agents: ReturnType<typeof useAgents> }) {
  const t = useWords();
  const [, go] = useLocation();
  const composer = useRef<ComposerHandle>(null);
  const draft = useRef('');
  const [chosen, setChosen] = useState(() => remembered('localStorage', key) ?? '');
  const agent = agents.all.find((a) => nameOf(a) === chosen) ?? agents.all.find((a) => a.isDefault) ?? agents.all[0];
  const [isStarting, setStarting] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  useEffect(() => composer.current?.focus(), [agents.loading]);

  if (agents.error !== null && agents.all.length === 0)
    return (
      <div className="page">
        <ErrorNote error={agents.error} onRetry={agents.reload} />
      </div>
    );
  if (agents.loading && agents.all.length === 0) return <Loading />;
  if (!agent) return <EmptyState icon={<Bot size={32} aria-hidden />} title={t.agent.none} />;

  const pick = (name: string) => {
    setChosen(name);
    remember('localStorage', key, name);
    composer.current?.focus();
  };
  const send = async (text: string, files: readonly File[]) => {
    const session = await api.client.sessions.create(agent.projectId, { agentId: agent.id });
    await api.client.sessions.update(session.id, { title: awaitsTitle });
    const attachments: string[] = [];
    for (const file of files) attachments.push((await api.client.sessions.upload(session.id, file)).fileId);
    await api.client.sessions.send(session.id, text, attachments.length > 0 ? { attachments } : {});
    // What was written while the session was made goes on there.
    const rest = draft.current;
    if (rest !== '' && (files.length === 0 || rest !== text)) drafts.set(session.id, rest);
    go(`/chat/${session.id}`);
  };
  const start = async (text: string) => {
    setStarting(true);
    setProblem(null);
    try {
      await send(text, []);
    } catch (error) {
      setProblem(error);
      setStarting(false);
    }
  };
  return (
    <>
      <div className="welcome">
        <img src={icon} alt="" width={56} height={56} />
        <h1>{t.welcome.title(agent.name)}</h1>
        <Field label={t.agent.label} className="welcome__agent">
          {(p) => (
            <Select {...p} value={nameOf(agent)} onChange={(e) => pick(e.target.value)}>
              {agents.projects.map(({ project, agents: own }) => (
                <optgroup key={project.id} label={project.name}>
                  {own.map((a) => (
                    <option key={a.id} value={nameOf(a)}>
                      {a.name}
                    </option>
                  ))}
                </optgroup>
              ))}
            </Select>
          )}
        </Field>
        {agent.description && <p>{agent.description}</p>}
        <p className="muted">{t.agent.model(agent.provider, agent.model)}</p>
        {agent.starters.length > 0 && (
          <ul className="starters" aria-label={t.welcome.starters}>
            {agent.starters.map((text, i) => (
              <li key={i}>
                <Button disabled={isStarting} onClick={() => void start(text)}>
                  {text}
                </Button>
              </li>
            ))}
          </ul>
        )}
        {problem !== null && <ErrorNote error={problem} />}
        <p className="muted">{t.welcome.hint}</p>
      </div>
      <Composer
        ref={composer}
        agentName={agent.name}
        disabled={isStarting}
        isRunning={false}
        isStopping={false}
        isEditing={false}
        draft=""
        onDraft={(text) => void (draft.current = text)}
        onSend={send}
        onStop={nothing}
        onEditLast={nothing}
        onLeaveEditing={nothing}
        onTyping={nothing}
      />
    </>
  );
}
