// The editor of a stored agent, or of one that is not stored yet: form and JSON on one draft, versions, a chat beside them.
import { Suspense, lazy, useEffect, useState, type KeyboardEvent } from 'react';
import { Copy, MessageSquare, Save, Trash2 } from 'lucide-react';
import { Link, useLocation } from 'wouter';
import type { AgentDefinition, Tool } from 'troupe-client';
import { api } from '../../../api';
import { Badge, Button, codeOf, ErrorNote, Field, Input, Loading, Note, Tabs } from '../../../ui';
import type { Setup } from '../../common/useProjects';
import { Conflict } from './Conflict';
import { problemsAt, problemsOf, read, write, type Definition, type Problem } from './definition';
import { Said } from './controls';
import { AgentForm } from './Form';
import { JsonTab } from './JsonTab';
import { AgentProblem, agentPath, newPath, SourceBadges } from './List';
import { Remove } from './Remove';
import { useAgentsText } from './text';
import { useCheck } from './useCheck';
import { draftOf, isChanged, useDraft, type Draft } from './useDraft';
import { Versions } from './Versions';

const Trial = lazy(() => import('./Trial'));

interface WorkbenchProps {
  project: string;
  agent: string;
  copyOf: string;
  initial: Draft;
  setup: Setup;
  tools: readonly Tool[];
  onStored: () => void;
}
type Shown = 'form' | 'json' | 'versions';
/** Opens the trial also where making the agent leads to another address. */
let opensTrial = '';

export function Workbench({ project, agent, copyOf, initial, setup, tools, onStored }: WorkbenchProps) {
  const e = useAgentsText();
  const [, go] = useLocation();
  const key = `${project}/${agent}`;
  const { draft, change, stored: follow, reset, forget } = useDraft(agent === '' ? `${key} ${copyOf}` : key, initial);
  const [shown, setShown] = useState<Shown>('form');
  const [saving, setSaving] = useState<'save' | 'try' | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [refused, setRefused] = useState<{ text: string; problems: readonly Problem[] } | null>(null);
  const [hasConflict, setConflict] = useState(false);
  const [isRemoving, setRemoving] = useState(false);
  const [turn, setTurn] = useState(0);
  const [isTrying, setTrying] = useState(() => opensTrial === key);
  const [said, setSaid] = useState('');

  useEffect(() => void (opensTrial = ''), []);

  const isNew = agent === '';
  const { definition, problem } = read(draft.text);
  const check = useCheck(project, draft.id, definition);
  const problems = refused?.text === draft.text ? [...check.problems, ...refused.problems.filter((p) => !check.problems.some((c) => c.path === p.path))] : check.problems;
  const changed = isChanged(draft);
  const known = setup.agents.find((a) => a.projectId === project && a.id === agent);
  const idProblems = problemsAt(problems, ['id']);
  const canSave = definition !== null && draft.id !== '' && saving === null;

  const setDefinition = (next: Definition) => change({ text: write(next) });
  /** True where the draft is what the server has now. */
  const save = async (how: 'save' | 'try', version = draft.version): Promise<boolean> => {
    if (!canSave || definition === null) return false;
    setSaving(how);
    setError(null);
    setSaid('');
    try {
      const note = draft.note.trim();
      const asked = { definition: definition as AgentDefinition, ...(note === '' ? {} : { note }) };
      const stored = isNew
        ? await api.client.agents.create(project, { ...asked, id: draft.id })
        : await api.client.agents.update(project, agent, { ...asked, ...(version === null ? {} : { version }) });
      setConflict(false);
      if (isNew) {
        const place = `${project}/${stored.id}`;
        follow(draft, { version: stored.version, stored: definition }, { key: place, id: stored.id });
        opensTrial = how === 'try' ? place : '';
        go(agentPath(project, stored.id), { replace: true });
      } else {
        follow(draft, { version: stored.version, stored: definition });
        setTurn((n) => n + 1);
        onStored();
      }
      setSaid(stored.version === null ? e.saved : e.savedVersion(stored.version));
      return true;
    } catch (failure) {
      const found = problemsOf(failure);
      setRefused({ text: draft.text, problems: found });
      if (codeOf(failure) === 'VERSION_CONFLICT') setConflict(true);
      else setError(failure);
      return false;
    } finally {
      setSaving(null);
    }
  };
  const tryIt = async () => {
    if ((changed || isNew) && !(await save('try'))) return;
    if (!isNew) setTrying(true);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 's' || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    event.preventDefault();
    if (changed) void save('save');
  };
  /** The server has another version now, which is what the draft goes on from. */
  const takeUp = async () => {
    const record = await api.client.agents.definition(project, agent);
    reset(draftOf(record));
    setTurn((n) => n + 1);
    setRefused(null);
    onStored();
  };

  return (
    <div className={isTrying ? 'workbench' : undefined} onKeyDown={onKeyDown}>
      <div className="stack">
        <div className="row bar">
          <h2>
            {isNew ? (copyOf ? e.copyNamed(copyOf) : e.newIn(project)) : (known?.name ?? agent)} {!isNew && <span className="mono muted">{agent}</span>}
          </h2>
          {known && <SourceBadges agent={known} />}
          <span className="grow" />
          {!isNew && (
            <>
              <Link className="button" href={newPath(project, agent)}>
                <Copy size={16} aria-hidden /> {e.copyOf}
              </Link>
              <Button variant="danger" icon={<Trash2 size={16} aria-hidden />} onClick={() => setRemoving(true)}>
                {e.remove}
              </Button>
            </>
          )}
        </div>
        {known && <AgentProblem agent={known} />}
        {isNew && (
          <Field label={e.id} hint={e.idHint} error={idProblems.length > 0 && <Said problems={idProblems} />} className="agent-id">
            {(p) => <Input {...p} value={draft.id} required autoComplete="off" onChange={(event) => change({ id: event.target.value.trim() })} />}
          </Field>
        )}
        <Tabs
          label={e.waysToEdit}
          active={shown}
          onChange={(id) => setShown(id as Shown)}
          tabs={(['form', 'json', 'versions'] as const).filter((id) => id !== 'versions' || !isNew).map((id) => ({ id, label: e.views[id] }))}
        >
          {shown === 'form' &&
            (definition === null ? (
              <Note tone="warn">
                <span className="note__text">{e.formNeedsJson}</span>
              </Note>
            ) : (
              <AgentForm
                of={{ definition, problems, onChange: setDefinition }}
                id={agent || draft.id}
                project={project}
                agents={setup.agents}
                tools={tools}
              />
            ))}
          {shown === 'json' && <JsonTab text={draft.text} problem={problem} problems={problems} onChange={(text) => change({ text })} />}
          {shown === 'versions' && (
            <Versions project={project} agent={agent} turn={turn} draft={changed ? definition : null} current={draft.version} onRestored={takeUp} />
          )}
        </Tabs>
        {error !== null && <ErrorNote error={error} onClose={() => setError(null)} />}
        {shown !== 'versions' && (
          <div className="savebar">
            <div className="savebar__state" role="status" data-check={check.state}>
              <CheckState of={check} problem={problem} count={problems.length} />
              {changed && !isNew && <Badge tone="warn">{e.unsaved}</Badge>}
              {!changed && said !== '' && <Badge tone="ok">{said}</Badge>}
            </div>
            <Field label={e.note} className="savebar__note">
              {(p) => <Input {...p} value={draft.note} maxLength={500} placeholder={e.notePlaceholder} onChange={(event) => change({ note: event.target.value })} />}
            </Field>
            <div className="row savebar__do">
              {changed && !isNew && (
                <Button variant="quiet" onClick={() => void takeUp().catch(setError)}>
                  {e.discard}
                </Button>
              )}
              <Button
                icon={<MessageSquare size={16} aria-hidden />}
                busy={saving === 'try'}
                disabled={changed && !canSave}
                onClick={() => (isTrying && !changed ? setTrying(false) : void tryIt())}
              >
                {isTrying && !changed ? e.closeTrial : changed ? e.saveAndTry : e.tryIt}
              </Button>
              <Button variant="primary" icon={<Save size={16} aria-hidden />} busy={saving === 'save'} disabled={!canSave || !changed} onClick={() => void save('save')}>
                {isNew ? e.create : e.save}
              </Button>
            </div>
          </div>
        )}
      </div>
      {isTrying && !isNew && (
        <Suspense fallback={<Loading />}>
          <Trial project={project} agent={agent} version={draft.version} agents={setup.agents} />
        </Suspense>
      )}
      {hasConflict && (
        <Conflict
          project={project}
          agent={agent}
          draft={draft}
          saving={saving !== null}
          onMine={(version) => save('save', version)}
          onTheirs={async () => {
            await takeUp();
            setConflict(false);
          }}
          onClose={() => setConflict(false)}
        />
      )}
      {!isNew && <Remove project={project} agent={agent} open={isRemoving} onClose={() => setRemoving(false)} onRemoved={forget} />}
    </div>
  );
}

function CheckState({ of, problem, count }: { of: ReturnType<typeof useCheck>; problem: string | null; count: number }) {
  const e = useAgentsText();
  if (problem !== null) return <Badge tone="bad">{e.noJson}</Badge>;
  if (of.state === 'failed') return <ErrorNote error={of.error} />;
  if (count > 0) return <Badge tone="bad">{e.problems(count)}</Badge>;
  if (of.state === 'checking') return <Badge>{e.checking}</Badge>;
  return <Badge tone="ok">{e.valid}</Badge>;
}
