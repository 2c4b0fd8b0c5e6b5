// One session: what is known of it, its sub-agents, what can be done with it.
import { useState } from 'react';
import { Download, History, MessageSquare } from 'lucide-react';
import { Link, useLocation } from 'wouter';
import type { SessionRecord, SessionStatus } from 'troupe-client';
import { api } from '../../api';
import { Button, Card, Count, ErrorNote, Json, Loading, Money, Time, useAsync } from '../../ui';
import { Command, Facts, PageFrame, Reload, SessionLink, Word, saveFile } from '../common/parts';
import { useRecords } from '../common/words';
import { titleOf } from './SessionList';
import { useSessionText } from './text';

export function SessionView({ id }: { id: string }) {
  const t = useSessionText();
  const asked = useAsync((signal) => api.client.sessions.get(id, { signal }), [id]);
  return (
    <PageFrame
      title={asked.data ? titleOf(asked.data) : t.session}
      about={<Link href="/sessions">{t.all}</Link>}
      actions={<Reload loading={asked.loading} onClick={asked.reload} />}
    >
      {asked.error !== null && <ErrorNote error={asked.error} onRetry={asked.reload} />}
      {!asked.data && asked.loading && <Loading />}
      {asked.data && <Shown session={asked.data} onChanged={asked.reload} />}
    </PageFrame>
  );
}

function Shown({ session: s, onChanged }: { session: SessionRecord; onChanged: () => void }) {
  const t = useSessionText();
  const r = useRecords();
  const [, go] = useLocation();
  const [busy, setBusy] = useState('');
  const [error, setError] = useState<unknown>(null);
  const act = async (name: string, action: () => Promise<unknown>) => {
    setBusy(name);
    setError(null);
    try {
      await action();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy('');
    }
  };
  const setStatus = (status: SessionStatus) =>
    void act(status, async () => {
      await api.client.sessions.setStatus(s.id, status);
      onChanged();
    });
  const download = () =>
    void act('export', async () => saveFile(`session-${s.id}.json`, JSON.stringify(await api.client.sessions.export(s.id), null, 2), 'application/json'));
  return (
    <>
      <div className="row">
        <Button variant="primary" icon={<History size={16} aria-hidden />} onClick={() => go(`/sessions/${s.id}/replay`)}>
          {t.replay}
        </Button>
        <Button icon={<MessageSquare size={16} aria-hidden />} onClick={() => go(`/chat/${s.id}`)}>
          {t.toChat}
        </Button>
        <Button icon={<Download size={16} aria-hidden />} busy={busy === 'export'} onClick={download}>
          {t.download}
        </Button>
        {s.status === 'active' && (
          <Button busy={busy === 'paused'} onClick={() => setStatus('paused')}>
            {t.pause}
          </Button>
        )}
        {s.status !== 'active' && (
          <Button busy={busy === 'active'} onClick={() => setStatus('active')}>
            {t.resume}
          </Button>
        )}
        {s.status !== 'closed' && (
          <Button variant="danger" busy={busy === 'closed'} onClick={() => setStatus('closed')} title={t.closeHint}>
            {t.close}
          </Button>
        )}
      </div>
      {error !== null && <ErrorNote error={error} onClose={() => setError(null)} />}
      <Card>
        <Facts
          facts={[
            { name: r.status, value: <Word value={s.status} /> },
            { name: t.id, value: <span className="mono">{s.id}</span> },
            { name: r.agent, value: s.agentId },
            { name: r.project, value: s.projectId },
            { name: t.dialect, value: s.alias && s.alias !== s.id ? `${s.dialect} (${s.alias})` : s.dialect },
            { name: t.owner, value: s.owner || <span className="muted">{t.nobody}</span> },
            s.participants.length > 0 && { name: t.participants, value: s.participants.join(', ') },
            s.parentSessionId !== null && { name: t.parent, value: <SessionLink id={s.parentSessionId} /> },
            { name: t.messages, value: <Count value={s.messageCount} /> },
            { name: t.events, value: <Count value={s.lastSeq} /> },
            { name: t.tokens, value: <Count value={s.usage.totalTokens} /> },
            { name: t.cost, value: <Money usd={s.usage.cost} /> },
            { name: t.created, value: <Time at={s.createdAt} style="full" /> },
            { name: t.used, value: <Time at={s.updatedAt} style="full" /> },
            { name: t.more, value: <Link href={`/traces/session/${s.id}`}>{t.traces}</Link> },
          ]}
        />
        {Object.keys(s.metadata).length > 0 && (
          <div>
            <h2>{t.metadata}</h2>
            <Json value={s.metadata} label={t.metadata} />
          </div>
        )}
      </Card>
      <Children session={s} />
      <Scenario session={s} />
    </>
  );
}

function Children({ session }: { session: SessionRecord }) {
  const t = useSessionText();
  const asked = useAsync((signal) => api.client.sessions.children(session.id, { limit: 100 }, { signal }), [session.id, session.lastSeq]);
  if (asked.error !== null) return <ErrorNote error={asked.error} onRetry={asked.reload} />;
  if (!asked.data || asked.data.total === 0) return null;
  return (
    <Card title={t.children}>
      <ul className="children">
        {asked.data.items.map((child) => (
          <li key={child.id}>
            <SessionLink id={child.id} title={titleOf(child)} /> · {child.agentId} · <Money usd={child.usage.cost} /> ·{' '}
            <Time at={child.createdAt} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** What was said and done here as a script that the program plays again, and compares. */
function Scenario({ session }: { session: SessionRecord }) {
  const t = useSessionText();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [saved, setSaved] = useState(`scenario-${session.id}.json`);
  const download = async () => {
    setBusy(true);
    setError(null);
    try {
      const { name, text } = await api.client.sessions.scenario(session.id);
      saveFile(name, text, 'application/json');
      setSaved(name);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card title={t.scenario}>
      <p>{t.scenarioFor}</p>
      <div className="row">
        <Button icon={<Download size={16} aria-hidden />} busy={busy} onClick={() => void download()}>
          {t.scenarioDownload}
        </Button>
        <Link href="/scenarios">{t.toScenarios}</Link>
      </div>
      {error !== null && <ErrorNote error={error} onRetry={() => void download()} onClose={() => setError(null)} />}
      <p className="muted">{t.scenarioPlay}</p>
      <Command text={`troupe replay ${saved}`} />
    </Card>
  );
}
