// What to play and how, and how the run goes that is shown.
import { useState } from 'react';
import { Play, RotateCcw, Square } from 'lucide-react';
import type { ScenarioRun, ScenarioRunSummary } from 'troupe-client';
import { api } from '../../api';
import { Button, Card, ErrorNote, Field, Note, Select, Spinner, Time, codeOf, formatDuration, useNow } from '../../ui';
import { useCommon } from '../../i18n/common';
import { Counts, modes, useModeName, type Mode } from './pieces';
import { useScenarioText } from './text';

export function Runner(props: {
  all: number;
  picked: readonly string[];
  failed: readonly string[];
  isActive: boolean;
  /** One that was started, or that goes on already. */
  onRun: (id: string | null) => void;
}) {
  const t = useScenarioText();
  const [mode, setMode] = useState<Mode>('plain');
  const [busy, setBusy] = useState('');
  const [error, setError] = useState<unknown>(null);
  const run = async (name: string, files?: readonly string[]) => {
    setBusy(name);
    setError(null);
    try {
      const started = await api.client.scenarios.run({
        ...(files && { files: [...files] }),
        ...(mode === 'restart' && { restartEveryStep: true }),
        ...(mode === 'crash' && { crashAt: 'every' }),
      });
      props.onRun(started.id);
    } catch (failure) {
      setError(failure);
      // Somebody else was first: theirs is shown.
      if (codeOf(failure) === 'SCENARIO_RUN_ACTIVE') props.onRun(null);
    } finally {
      setBusy('');
    }
  };
  const off = busy !== '' || props.isActive;
  return (
    <Card title={t.run}>
      <Field label={t.mode} hint={t.modeHints[mode]} className="runner__mode">
        {(p) => (
          <Select {...p} value={mode} onChange={(e) => setMode(e.target.value as Mode)}>
            {modes.map((id) => (
              <option key={id} value={id}>
                {t.modes[id]}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <div className="row">
        <Button
          variant={props.picked.length > 0 ? 'plain' : 'primary'}
          icon={<Play size={16} aria-hidden />}
          busy={busy === 'all'}
          disabled={off || props.all === 0}
          onClick={() => void run('all')}
        >
          {t.runAll(props.all)}
        </Button>
        <Button
          variant={props.picked.length > 0 ? 'primary' : 'plain'}
          icon={<Play size={16} aria-hidden />}
          busy={busy === 'picked'}
          disabled={off || props.picked.length === 0}
          onClick={() => void run('picked', props.picked)}
        >
          {t.runPicked(props.picked.length)}
        </Button>
        {props.failed.length > 0 && (
          <Button icon={<RotateCcw size={16} aria-hidden />} busy={busy === 'failed'} disabled={off} onClick={() => void run('failed', props.failed)}>
            {t.runFailed(props.failed.length)}
          </Button>
        )}
      </div>
      {error !== null && <ErrorNote error={error} onClose={() => setError(null)} />}
    </Card>
  );
}

function Took({ run }: { run: ScenarioRunSummary }) {
  const units = useCommon().units;
  const now = useNow(run.endedAt === null ? 1000 : 0);
  const end = run.endedAt === null ? now : Date.parse(run.endedAt);
  return <span className="muted number">{formatDuration(Math.max(0, end - Date.parse(run.startedAt)), units)}</span>;
}

export function Progress({ run, error, onRetry, onStopped }: { run: ScenarioRun | undefined; error: unknown; onRetry: () => void; onStopped: () => void }) {
  const t = useScenarioText();
  const modeOf = useModeName();
  const [isStopping, setStopping] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  if (!run) return error === null ? null : <ErrorNote error={error} onRetry={onRetry} />;
  const isActive = run.status === 'running';
  const stop = async () => {
    setStopping(true);
    setFailure(null);
    try {
      await api.client.scenarios.cancel(run.id);
      onStopped();
    } catch (e) {
      setFailure(e);
    } finally {
      setStopping(false);
    }
  };
  return (
    <Card label={t.theRun} tone={run.failed > 0 ? 'bad' : 'plain'} className="progress">
      <div className="row" data-run={run.status} data-done={run.done}>
        <strong className="grow">
          {isActive && <Spinner />} {t.states[run.status]}
          {': '}
          {t.doneOf(run.done, run.total)}
        </strong>
        <Took run={run} />
        {isActive && (
          <Button size="small" variant="danger" icon={<Square size={13} aria-hidden />} busy={isStopping} onClick={() => void stop()}>
            {t.stop}
          </Button>
        )}
      </div>
      <div className={`progress__bar ${run.failed > 0 ? 'is-bad' : ''}`} aria-hidden="true">
        <span style={{ width: `${run.total > 0 ? (run.done / run.total) * 100 : 0}%` }} />
      </div>
      <div className="row" role="status">
        <Counts total={run.total} passed={run.passed} failed={run.failed} skipped={run.skipped} />
        <span className="muted">
          {modeOf(run)} · <Time at={run.startedAt} />
        </span>
      </div>
      {run.current && (
        <p className="muted">
          {t.now} <span className="mono">{run.current}</span>
        </p>
      )}
      {run.status === 'completed' && run.failed === 0 && run.done > 0 && <Note>{t.allWell}</Note>}
      {run.problem && <ErrorNote error={run.problem} />}
      {failure !== null && <ErrorNote error={failure} onClose={() => setFailure(null)} />}
      {error !== null && <ErrorNote error={error} onRetry={onRetry} />}
    </Card>
  );
}
