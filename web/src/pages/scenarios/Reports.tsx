// Reports that `troupe replay` wrote somewhere else: opened here, read in the browser, sent nowhere.
import { useRef, useState, type DragEvent } from 'react';
import { FileSearch, FolderOpen } from 'lucide-react';
import { Button, EmptyState, ErrorNote, Field, Input, Note, Table, formatDuration, type Column } from '../../ui';
import { useCommon } from '../../i18n/common';
import { Command, Pick, Word } from '../common/parts';
import { useRecords } from '../common/words';
import { countOf, isFailed, type Case } from './cases';
import { Failure } from './Failure';
import { Counts } from './pieces';
import { NotAReport, longestReport, readReport, type Report } from './report';
import { useScenarioText } from './text';

interface Opened {
  name: string;
  report: Report;
}

export function Reports() {
  const t = useScenarioText();
  const [opened, setOpened] = useState<Opened | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isOver, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  const open = async (file: File | undefined) => {
    if (!file) return;
    setError(null);
    try {
      if (file.size > longestReport) throw new NotAReport('large');
      setOpened({ name: file.name, report: readReport(await file.text()) });
    } catch (failure) {
      setError(failure instanceof NotAReport ? t.problems[failure.reason](file.name, failure.detail) : t.problems.unreadable(file.name));
    }
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void open(event.dataTransfer.files[0]);
  };
  return (
    <div className="stack">
      <p>{t.reportAbout}</p>
      <Command text="troupe replay scenarios/ --junit report.xml" />
      <p className="muted">{t.orJson}</p>
      <Command text="troupe replay scenarios/ --json > report.jsonl" />
      <section
        className={`drop ${isOver ? 'is-over' : ''}`}
        aria-label={t.openReport}
        onDragOver={(e) => (e.preventDefault(), setOver(true))}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
      >
        <Button variant="primary" icon={<FolderOpen size={16} aria-hidden />} onClick={() => input.current?.click()}>
          {t.openReport}
        </Button>
        <span className="muted">{t.orDrop}</span>
        <input
          ref={input}
          type="file"
          hidden
          aria-label={t.openReport}
          accept=".xml,.json,.jsonl,.ndjson,.txt,text/xml,application/json"
          onChange={(e) => {
            void open(e.target.files?.[0]);
            e.target.value = ''; // The same file again is a new report.
          }}
        />
      </section>
      {error && <ErrorNote error={error} onClose={() => setError(null)} />}
      {opened ? (
        <Results key={opened.name} opened={opened} />
      ) : (
        <EmptyState icon={<FileSearch size={32} aria-hidden />} title={t.nothingOpen}>
          {t.nothingOpenHow}
        </EmptyState>
      )}
    </div>
  );
}

function Results({ opened }: { opened: Opened }) {
  const t = useScenarioText();
  const r = useRecords();
  const units = useCommon().units;
  const { cases } = opened.report;
  const [verdict, setVerdict] = useState<Case['verdict'] | ''>('');
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<{ name: string; isAsked: boolean } | null>(() => {
    const first = cases.find(isFailed);
    return first ? { name: first.name, isAsked: false } : null;
  });
  const rows = cases.filter((c) => (!verdict || c.verdict === verdict) && c.name.toLowerCase().includes(text.toLowerCase()));
  const shown = cases.find((c) => c.name === chosen?.name && c.verdict !== 'passed');
  const columns: Column<Case>[] = [
    { key: 'verdict', head: r.status, cell: (c) => <Word value={c.verdict} />, sortBy: (c) => c.verdict },
    {
      key: 'name',
      head: t.scenario,
      cell: (c) =>
        c.verdict === 'passed' ? (
          <span className="mono">{c.name}</span>
        ) : (
          <button type="button" className="link mono" onClick={() => setChosen({ name: c.name, isAsked: true })}>
            {c.name}
          </button>
        ),
      sortBy: (c) => c.name,
    },
    {
      key: 'took',
      head: t.took,
      align: 'end',
      cell: (c) => (c.seconds === null ? null : formatDuration(c.seconds * 1000, units)),
      sortBy: (c) => c.seconds ?? 0,
    },
  ];
  return (
    <>
      <div className="row" role="status" data-report={opened.report.kind}>
        <strong>{opened.name}</strong>
        <Counts total={cases.length} passed={countOf(cases, 'passed')} failed={countOf(cases, 'failed')} skipped={countOf(cases, 'skipped')} />
      </div>
      {!cases.some(isFailed) && <Note>{t.allWell}</Note>}
      {shown && <Failure one={shown} isAsked={chosen?.isAsked ?? false} onClose={() => setChosen(null)} />}
      <div className="filters">
        <Pick
          label={r.status}
          value={verdict}
          onChange={setVerdict}
          options={(['failed', 'passed', 'skipped'] as const).map((id) => ({ id, name: r.words[id] }))}
        />
        <Field label={t.nameHas}>{(p) => <Input {...p} type="search" value={text} onChange={(e) => setText(e.target.value)} />}</Field>
      </div>
      {rows.length === 0 ? (
        <p className="muted">{t.noneFits}</p>
      ) : (
        <Table caption={opened.name} columns={columns} rows={rows.slice(0, 1000)} rowKey={(c) => c.name} selected={chosen?.name} />
      )}
      {rows.length > 1000 && <p className="muted">{t.firstOnly(1000, rows.length)}</p>}
    </>
  );
}
