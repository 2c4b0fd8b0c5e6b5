import type { ScenarioRunSummary } from 'troupe-client';
import { Badge } from '../../ui';
import { useScenarioText } from './text';

/** How many, in badges. */
export function Counts(props: { total: number; passed: number; failed: number; skipped: number }) {
  const t = useScenarioText();
  return (
    <>
      <Badge>{t.total(props.total)}</Badge>
      <Badge tone={props.passed > 0 ? 'ok' : 'neutral'}>{t.passed(props.passed)}</Badge>
      <Badge tone={props.failed > 0 ? 'bad' : 'neutral'}>{t.failed(props.failed)}</Badge>
      <Badge>{t.skipped(props.skipped)}</Badge>
    </>
  );
}

export type Mode = 'plain' | 'restart' | 'crash';
export const modes = ['plain', 'restart', 'crash'] as const;

/** How a run was asked for, in words. */
export function useModeName(): (run: Pick<ScenarioRunSummary, 'restartEveryStep' | 'crashAt'>) => string {
  const t = useScenarioText();
  return (run) => {
    if (typeof run.crashAt === 'number') return t.crashAt(run.crashAt);
    return t.modes[run.crashAt === 'every' ? 'crash' : run.restartEveryStep ? 'restart' : 'plain'];
  };
}
