// The folder of scenarios that the server was given: what is in it, run it, and what became of each.
import { useCallback, useMemo, useState } from 'react';
import { FlaskConical } from 'lucide-react';
import type { ScenarioEntry, ScenarioList, ScenarioRun } from 'troupe-client';
import { useLocation } from 'wouter';
import { Badge, EmptyState, Field, Input, Spinner, Table, formatDuration, type Async, type Column } from '../../ui';
import { useCommon } from '../../i18n/common';
import { Pick, Word } from '../common/parts';
import { useRecords } from '../common/words';
import { caseOf, type Case } from './cases';
import { Failure } from './Failure';
import { Progress, Runner } from './Runner';
import { useScenarioText } from './text';
import { useRun } from './useRun';

const outcomes = ['failed', 'passed', 'skipped', 'none'] as const;
type Outcome = (typeof outcomes)[number];

interface Row {
  file: string;
  /** Undefined where the file is gone since that run. */
  entry: ScenarioEntry | undefined;
  result: Case | undefined;
}

const folderOf = (file: string): string => (file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '');
const unique = (words: readonly string[]): string[] => [...new Set(words)].sort();

export function Corpus(props: { list: Async<ScenarioList>; items: readonly ScenarioEntry[]; runId: string | null; onRuns: () => void }) {
  const { items, runId, onRuns, list } = props;
  const t = useScenarioText();
  const [, go] = useLocation();
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const reloadList = list.reload;
  const ended = useCallback(() => {
    onRuns();
    reloadList();
  }, [onRuns, reloadList]);
  const watched = useRun(runId, ended);
  const run = watched.run?.id === runId ? watched.run : undefined;
  const results = useMemo(() => new Map((run?.results ?? []).map((r) => [r.file, caseOf(r)])), [run]);
  const known = new Set(items.map((i) => i.file));
  const rows: Row[] = [
    ...items.map((entry) => ({ file: entry.file, entry, result: results.get(entry.file) })),
    ...[...results.values()].filter((c) => !known.has(c.name)).map((result) => ({ file: result.name, entry: undefined, result })),
  ];
  const started = (id: string | null) => {
    onRuns();
    go(id === null ? '/scenarios' : `/scenarios/runs/${id}`);
  };
  if (items.length === 0 && !run)
    return (
      <EmptyState icon={<FlaskConical size={32} aria-hidden />} title={t.emptyFolder(list.data?.folder ?? '')}>
        {t.emptyFolderHow}
      </EmptyState>
    );
  return (
    <div className="stack">
      <Runner
        all={items.length}
        picked={items.filter((i) => picked.has(i.file)).map((i) => i.file)}
        failed={items.filter((i) => results.get(i.file)?.verdict === 'failed').map((i) => i.file)}
        isActive={run?.status === 'running'}
        onRun={started}
      />
      <Progress run={run} error={watched.error} onRetry={watched.reload} onStopped={watched.reload} />
      <Listing key={runId} rows={rows} run={run} picked={picked} onPick={setPicked} />
    </div>
  );
}

function Listing(props: { rows: readonly Row[]; run: ScenarioRun | undefined; picked: ReadonlySet<string>; onPick: (files: ReadonlySet<string>) => void }) {
  const { rows, run, picked, onPick } = props;
  const t = useScenarioText();
  const r = useRecords();
  const units = useCommon().units;
  const [text, setText] = useState('');
  const [folder, setFolder] = useState('');
  const [tag, setTag] = useState('');
  const [outcome, setOutcome] = useState<Outcome | ''>('');
  const [asked, setAsked] = useState<string | null>(null);
  const [isClosed, setClosed] = useState(false);
  const wanted = text.trim().toLowerCase();
  const shown = rows.filter(
    ({ file, entry, result }) =>
      (!wanted || file.toLowerCase().includes(wanted) || (entry?.description.toLowerCase().includes(wanted) ?? false)) &&
      (!folder || folderOf(file) === folder) &&
      (!tag || (entry?.tags.includes(tag) ?? false)) &&
      (!outcome || (result?.verdict ?? 'none') === outcome),
  );
  const folders = unique(rows.map((row) => folderOf(row.file)).filter(Boolean));
  const tags = unique(rows.flatMap((row) => row.entry?.tags ?? []));
  // The first failure is shown without being asked for, until it is closed.
  const open = asked ?? (isClosed ? null : (rows.find((row) => row.result?.verdict === 'failed')?.file ?? null));
  const one = rows.find((row) => row.file === open)?.result;
  const pickable = shown.filter((row) => row.entry);
  const allPicked = pickable.length > 0 && pickable.every((row) => picked.has(row.file));
  const toggle = (files: readonly string[], isOn: boolean) => {
    const next = new Set(picked);
    for (const file of files) isOn ? next.add(file) : next.delete(file);
    onPick(next);
  };
  const columns: Column<Row>[] = [
    {
      key: 'pick',
      head: (
        <input
          type="checkbox"
          className="pick"
          aria-label={t.pickAll}
          checked={allPicked}
          disabled={pickable.length === 0}
          onChange={(e) => toggle(pickable.map((row) => row.file), e.target.checked)}
        />
      ),
      cell: (row) =>
        row.entry && (
          <input
            type="checkbox"
            className="pick"
            aria-label={t.pick(row.file)}
            checked={picked.has(row.file)}
            onChange={(e) => toggle([row.file], e.target.checked)}
          />
        ),
    },
    { key: 'verdict', head: r.status, cell: (row) => <Verdict row={row} run={run} />, sortBy: (row) => row.result?.verdict ?? '' },
    {
      key: 'name',
      head: t.scenario,
      cell: (row) => (
        <>
          {row.result && row.result.verdict !== 'passed' ? (
            <button type="button" className="link mono" onClick={() => setAsked(row.file)}>
              {row.file}
            </button>
          ) : (
            <span className="mono">{row.file}</span>
          )}
          {row.entry?.description && <div className="scenario__about">{row.entry.description}</div>}
          {row.entry?.problem && <div className="field__error">{row.entry.problem}</div>}
          {row.result?.verdict === 'skipped' && row.result.text && <div className="muted">{t.becauseOf(row.result.text)}</div>}
          {!row.entry && <div className="muted">{t.gone}</div>}
          {row.entry && row.entry.tags.length > 0 && (
            <div className="chips scenario__tags">
              {row.entry.tags.map((name) => (
                <Badge key={name}>{name}</Badge>
              ))}
            </div>
          )}
        </>
      ),
      sortBy: (row) => row.file,
    },
    {
      key: 'took',
      head: t.took,
      align: 'end',
      cell: (row) => (row.result?.seconds == null ? null : formatDuration(row.result.seconds * 1000, units)),
      sortBy: (row) => row.result?.seconds ?? 0,
    },
  ];
  return (
    <>
      {one && one.verdict !== 'passed' && (
        <Failure
          one={one}
          isAsked={asked !== null}
          onClose={() => {
            setAsked(null);
            setClosed(true);
          }}
        />
      )}
      <div className="filters" role="search" aria-label={t.filters}>
        <Field label={t.textHas} className="filters__wide">
          {(p) => <Input {...p} type="search" value={text} onChange={(e) => setText(e.target.value)} />}
        </Field>
        {folders.length > 1 && <Pick label={t.folder} value={folder} onChange={setFolder} options={folders.map((id) => ({ id, name: id }))} />}
        {tags.length > 0 && <Pick label={t.tag} value={tag} onChange={setTag} options={tags.map((id) => ({ id, name: id }))} />}
        <Pick
          label={r.status}
          value={outcome}
          onChange={setOutcome}
          options={outcomes.map((id) => ({ id, name: id === 'none' ? t.notRun : r.words[id] }))}
        />
      </div>
      {shown.length === 0 ? (
        <p className="muted">{t.noneFits}</p>
      ) : (
        <Table caption={t.corpus} columns={columns} rows={shown} rowKey={(row) => row.file} selected={one ? (open ?? undefined) : undefined} />
      )}
      <p className="muted" role="status">
        {t.shownOf(shown.length, rows.length, picked.size)}
      </p>
    </>
  );
}

function Verdict({ row, run }: { row: Row; run: ScenarioRun | undefined }) {
  const t = useScenarioText();
  if (row.result) return <Word value={row.result.verdict} />;
  if (run?.status === 'running') {
    if (run.current === row.file)
      return (
        <Badge tone="info">
          <Spinner /> {t.plays}
        </Badge>
      );
    if (!run.files || run.files.includes(row.file)) return <span className="muted">{t.waits}</span>;
  }
  if (row.entry?.problem) return <Badge tone="bad">{t.unreadable}</Badge>;
  return <span className="muted">{t.notRun}</span>;
}
