// The common fields of a definition. The rest is on the JSON tab, and stays as it is.
import { ArrowUp, Plus, X } from 'lucide-react';
import type { Agent, Tool } from 'troupe-client';
import { Button, Checkbox, IconButton, Note } from '../../../ui';
import { useSettingsText } from '../text';
import { asText, isObject, problemsAt, problemsElsewhere, textsAt, valueAt, withValue, type Path } from './definition';
import { ChoiceAt, Group, LinesAt, NumberAt, NumbersAt, Said, TextAt, type Editing } from './controls';
import { useAgentsText } from './text';
import { ToolsField } from './ToolsField';

/** In the order of the form; what the server says of other places stands above it. */
const places: readonly Path[] = [
  'name', 'description', 'starters', 'provider', 'model', 'temperature', 'fallback', 'instructions', 'tools', 'approval', 'delegates', 'handoffs',
  'on_busy',
].map((key) => [key]);
const limits = ['max_steps', 'max_output_tokens', 'max_queue', 'max_output_chars', 'max_depth', 'approval_timeout_ms', 'tool_timeout_ms'] as const;
const nested: readonly Path[] = [
  ...[...limits, 'budget_usd'].map((key) => ['limits', key]),
  ...['daily_usd', 'monthly_usd', 'alerts'].map((key) => ['budget', key]),
];
const known = new Set([...places.map(([key]) => key), 'limits', 'budget']);

export function AgentForm({ of, id, project, agents, tools }: { of: Editing; id: string; project: string; agents: readonly Agent[]; tools: readonly Tool[] }) {
  const t = useSettingsText();
  const e = useAgentsText();
  const own = agents.filter((a) => a.projectId === project);
  const providers = [...new Set(agents.map((a) => a.provider))].sort();
  const provider = asText(valueAt(of.definition, ['provider']));
  const models = [...new Set(agents.filter((a) => !provider || a.provider === provider).map((a) => a.model))].filter(Boolean).sort();
  // The id has a field of its own, above.
  const elsewhere = problemsElsewhere(of.problems, [...places, ...nested, ['id']]);
  const others = Object.keys(of.definition).filter((key) => !known.has(key));
  return (
    <div className="agent-form">
      {elsewhere.length > 0 && (
        <Note tone="bad">
          <span className="note__text" role="alert">
            <Said problems={elsewhere} />
          </span>
        </Note>
      )}
      <Group title={e.who}>
        <div className="pair">
          <TextAt of={of} path={['name']} label={t.name} hint={e.nameHint} />
          <TextAt of={of} path={['description']} label={e.description} />
        </div>
        <LinesAt of={of} path={['starters']} label={e.starters} hint={e.startersHint} rows={3} />
      </Group>
      <Group title={t.model}>
        <div className="pair">
          <TextAt of={of} path={['provider']} label={t.provider} hint={e.providerHint(providers.join(', '))} suggestions={providers} required />
          <TextAt of={of} path={['model']} label={t.model} hint={models.length > 0 ? e.modelHint(models.join(', ')) : undefined} suggestions={models} />
          <NumberAt of={of} path={['temperature']} label={e.temperature} hint={e.temperatureHint} />
        </div>
        <Fallback of={of} providers={providers} />
      </Group>
      <Group title={e.instructions}>
        <TextAt of={of} path={['instructions']} label={e.instructionsLabel} rows={8} className="instructions" />
      </Group>
      <ToolsField of={of} tools={tools} />
      <Group title={e.others}>
        <OtherAgents of={of} path={['delegates']} label={e.delegates} about={e.delegatesAbout} ids={own.map((a) => a.id)} self={id} />
        <OtherAgents of={of} path={['handoffs']} label={e.handoffs} about={e.handoffsAbout} ids={own.map((a) => a.id)} self={id} />
      </Group>
      <Group title={t.tabs.limits} about={e.limitsAbout} problems={problemsAt(of.problems, ['limits']).filter((p) => p.path === '')}>
        <div className="trio">
          {limits.map((key) => (
            <NumberAt key={key} of={of} path={['limits', key]} label={e.limits[key]} />
          ))}
          <ChoiceAt
            of={of}
            path={['on_busy']}
            label={t.onBusy}
            none={e.serverDefault}
            options={(['queue', 'reject', 'interrupt'] as const).map((id) => ({ id, name: `${id}: ${e.busy[id]}` }))}
          />
        </div>
      </Group>
      <Group title={e.budget} about={e.budgetAbout} problems={problemsAt(of.problems, ['budget']).filter((p) => p.path === '')}>
        <div className="trio">
          <NumberAt of={of} path={['limits', 'budget_usd']} label={e.ofSession} />
          <NumberAt of={of} path={['budget', 'daily_usd']} label={e.ofDay} />
          <NumberAt of={of} path={['budget', 'monthly_usd']} label={e.ofMonth} />
          <NumbersAt of={of} path={['budget', 'alerts']} label={e.alerts} hint={e.alertsHint} />
        </div>
      </Group>
      {others.length > 0 && (
        <p className="muted small">
          {e.besides}{' '}
          {others.map((key) => (
            <code key={key} className="key">
              {key}
            </code>
          ))}
        </p>
      )}
    </div>
  );
}

/** Models that are asked in this order when the agent's own fails. */
function Fallback({ of, providers }: { of: Editing; providers: readonly string[] }) {
  const t = useSettingsText();
  const e = useAgentsText();
  const value = valueAt(of.definition, ['fallback']);
  const rows = Array.isArray(value) ? (value as unknown[]) : [];
  const set = (next: unknown[]) => of.onChange(withValue(of.definition, ['fallback'], next.length > 0 ? next : undefined));
  const put = (i: number, key: string, text: string) => set(rows.map((row, j) => (j === i ? withValue(row, [key], text) : row)));
  const problems = problemsAt(of.problems, ['fallback']);
  return (
    <div className="stack">
      <h3>{e.fallback}</h3>
      {value !== undefined && !Array.isArray(value) && <p className="muted">{e.onJsonTab}</p>}
      {rows.map((row, i) => (
        <div key={i} className="row fallback">
          {(['provider', 'model'] as const).map((key) => (
            <input
              key={key}
              className="input"
              aria-label={e.fallbackNamed(key === 'provider' ? t.provider : t.model, i + 1)}
              placeholder={key === 'provider' ? t.provider : t.model}
              title={key === 'provider' ? providers.join(', ') : undefined}
              value={asText(isObject(row) ? row[key] : row)}
              onChange={(event) => put(i, key, event.target.value)}
            />
          ))}
          {i > 0 && (
            <IconButton label={e.moveUp(i + 1)} onClick={() => set(rows.map((r, j) => (j === i - 1 ? row : j === i ? rows[i - 1] : r)))}>
              <ArrowUp size={16} aria-hidden />
            </IconButton>
          )}
          <IconButton label={e.takeOut(i + 1)} onClick={() => set(rows.filter((_, j) => j !== i))}>
            <X size={16} aria-hidden />
          </IconButton>
        </div>
      ))}
      {problems.length > 0 && (
        <div className="field__error" role="alert">
          <Said problems={problems} />
        </div>
      )}
      <div>
        <Button size="small" icon={<Plus size={14} aria-hidden />} onClick={() => set([...rows, { provider: '', model: '' }])}>
          {e.addFallback}
        </Button>
      </div>
    </div>
  );
}

function OtherAgents(props: { of: Editing; path: Path; label: string; about: string; ids: readonly string[]; self: string }) {
  const { of, path, label, about, ids, self } = props;
  const e = useAgentsText();
  const chosen = textsAt(of.definition, path);
  const all = [...new Set([...ids, ...chosen])].filter((id) => id !== self || chosen.includes(id));
  const toggle = (id: string, on: boolean) => {
    const next = on ? [...chosen, id] : chosen.filter((one) => one !== id);
    of.onChange(withValue(of.definition, path, next.length > 0 ? next : undefined));
  };
  const problems = problemsAt(of.problems, path);
  return (
    <div role="group" aria-label={label} className="choices">
      <h3>{label}</h3>
      <p className="muted small">{about}</p>
      {all.length === 0 && <p className="muted">{e.noOthers}</p>}
      <div className="row">
        {all.map((id) => (
          <Checkbox key={id} label={<code>{id}</code>} checked={chosen.includes(id)} onChange={(event) => toggle(id, event.target.checked)} />
        ))}
      </div>
      {problems.length > 0 && (
        <div className="field__error" role="alert">
          <Said problems={problems} />
        </div>
      )}
    </div>
  );
}
