// The conversation as it was at any moment: a slider over the events of the log.
import { useEffect, useMemo, useState, type KeyboardEvent } from 'react';
import { ChevronFirst, ChevronLast, Pause, Play, SkipBack, SkipForward } from 'lucide-react';
import { Link } from 'wouter';
import { api } from '../../api';
import { Card, Count, EmptyState, ErrorNote, IconButton, Json, Loading, Money, Note, Time, useAsync } from '../../ui';
import { Facts, PageFrame, Word, shortId } from '../common/parts';
import { useRecords } from '../common/words';
import { loadLog, type Loaded } from './load';
import { Moment } from './Moment';
import { landmarksOf, Replay, timeAt, type Landmark } from './replay';
import { useSessionText } from './text';

export function ReplayView({ id }: { id: string }) {
  const t = useSessionText();
  const asked = useAsync((signal) => loadLog(api.client, id, signal), [id]);
  return (
    <PageFrame
      title={t.replayOf(asked.data?.title || shortId(id))}
      about={<Link href={`/sessions/${id}`}>{t.back}</Link>}
    >
      {asked.error !== null && <ErrorNote error={asked.error} onRetry={asked.reload} />}
      {!asked.data && asked.loading && <Loading />}
      {asked.data?.events.length === 0 && <EmptyState title={t.noEvents} />}
      {asked.data && asked.data.events.length > 0 && <Player id={id} log={asked.data} />}
    </PageFrame>
  );
}

const playMs = 60;

function Player({ id, log }: { id: string; log: Loaded }) {
  const t = useSessionText();
  const r = useRecords();
  const last = log.events.length;
  const replay = useMemo(() => new Replay(log.events), [log.events]);
  const landmarks = useMemo(() => landmarksOf(log.events), [log.events]);
  const [at, setAt] = useState(last);
  const [playing, setPlaying] = useState(false);
  const state = useMemo(() => replay.at(at), [replay, at]);

  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => setAt((n) => Math.min(last, n + 1)), playMs);
    return () => clearInterval(timer);
  }, [playing, last]);
  useEffect(() => {
    if (at >= last) setPlaying(false);
  }, [at, last]);

  const go = (to: number) => {
    setPlaying(false);
    setAt(Math.max(0, Math.min(last, to)));
  };
  const before = () => go(landmarks.filter((l) => l.at < at).at(-1)?.at ?? 0);
  const after = () => go(landmarks.find((l) => l.at > at)?.at ?? last);
  const play = () => {
    if (at >= last) setAt(0);
    setPlaying(!playing);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'PageUp' && event.key !== 'PageDown') return;
    event.preventDefault();
    if (event.key === 'PageUp') before();
    else after();
  };
  const event = at > 0 ? log.events[at - 1] : undefined;
  const seq = event && 'seq' in event && event.seq ? event.seq : 0;
  const time = timeAt(log.times, seq);
  return (
    <>
      {log.isPart && <Note tone="warn">{t.isPart(last)}</Note>}
      <Card className="player" label={t.timeLine}>
        <div className="row">
          <IconButton label={t.first} onClick={() => go(0)}>
            <ChevronFirst size={18} aria-hidden />
          </IconButton>
          <IconButton label={t.before} onClick={before}>
            <SkipBack size={18} aria-hidden />
          </IconButton>
          <IconButton label={playing ? t.stop : t.play} variant="primary" onClick={play}>
            {playing ? <Pause size={18} aria-hidden /> : <Play size={18} aria-hidden />}
          </IconButton>
          <IconButton label={t.after} onClick={after}>
            <SkipForward size={18} aria-hidden />
          </IconButton>
          <IconButton label={t.last} onClick={() => go(last)}>
            <ChevronLast size={18} aria-hidden />
          </IconButton>
          <span className="grow number" data-at={at}>
            {t.position(at, last)}
          </span>
          {time && (
            <span className="muted">
              {t.notBefore} <Time at={time} style="full" />
            </span>
          )}
        </div>
        <div className="scrub">
          <input
            type="range"
            min={0}
            max={last}
            step={1}
            value={at}
            aria-label={t.timeLine}
            aria-valuetext={`${t.position(at, last)}${event ? `: ${event.type}` : ''}`}
            onChange={(e) => go(Number(e.target.value))}
            onKeyDown={onKey}
          />
          <Marks landmarks={landmarks} last={last} />
        </div>
        <Legend landmarks={landmarks} />
      </Card>
      <div className="replay">
        <section aria-label={t.conversation} className="replay__talk">
          <Moment state={state} />
        </section>
        <aside className="stack" aria-label={t.atThisMoment}>
          <Card title={t.atThisMoment}>
            <Facts
              facts={[
                { name: r.status, value: <Word value={state.run ? (state.run.isParked ? 'parked' : 'running') : state.status} /> },
                { name: t.messages, value: <Count value={state.messages.length} /> },
                { name: t.inQueue, value: <Count value={state.queue.length} /> },
                { name: t.tokens, value: <Count value={state.usage.totalTokens} /> },
                { name: t.cost, value: <Money usd={state.usage.cost} /> },
              ]}
            />
          </Card>
          {event && (
            <Card title={event.type}>
              <Json value={event} label={t.event} />
            </Card>
          )}
          <Link href={`/chat/${id}`}>{t.toChat}</Link>
        </aside>
      </div>
    </>
  );
}

const mostMarks = 400;

function Marks({ landmarks, last }: { landmarks: readonly Landmark[]; last: number }) {
  const every = Math.ceil(landmarks.length / mostMarks);
  return (
    <div className="marks" aria-hidden="true">
      {landmarks.map(
        (mark, i) => i % every === 0 && <span key={mark.at} className={`mark mark--${mark.kind}`} style={{ left: `${(mark.at / last) * 100}%` }} />,
      )}
    </div>
  );
}

function Legend({ landmarks }: { landmarks: readonly Landmark[] }) {
  const t = useSessionText();
  const kinds = (['user', 'answer', 'tool', 'approval', 'alert', 'trouble'] as const).filter((kind) => landmarks.some((l) => l.kind === kind));
  return (
    <ul className="legend">
      {kinds.map((kind) => (
        <li key={kind}>
          <span className={`mark mark--${kind}`} aria-hidden="true" /> {t.marks[kind]} ({landmarks.filter((l) => l.kind === kind).length})
        </li>
      ))}
    </ul>
  );
}
