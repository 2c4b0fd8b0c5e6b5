// What the corpus of scenarios says. The server cannot run it, so the page shows how to, and reads the report that comes of it.
import { useRef, useState, type DragEvent } from 'react';
import { FileSearch, FolderOpen } from 'lucide-react';
import { Badge, Button, Card, EmptyState, ErrorNote, Field, Input, Note, Table, formatDuration, type Column } from '../../ui';
import { useCommon } from '../../i18n/common';
import { Command, PageFrame, Pick, Word } from '../common/parts';
import { useRecords } from '../common/words';
import { Failure } from './Failure';
import { NotAReport, longestReport, readReport, type Case, type Report } from './report';
import { useScenarioText } from './text';
import './scenarios.css';

interface Opened {
  name: string;
  report: Report;
}

export default function ScenariosPage() {
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
    <PageFrame title={t.title} about={t.about}>
      <Card title={t.run}>
        <p>{t.cannotRun}</p>
        <Command text="troupe replay scenarios/ --junit report.xml" />
        <p className="muted">{t.orJson}</p>
        <Command text="troupe replay scenarios/ --json > report.jsonl" />
      </Card>
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
    </PageFrame>
  );
}

function Results({ opened }: { opened: Opened }) {
  const t = useScenarioText();
  const r = useRecords();
  const units = useCommon().units;
  const { cases } = opened.report;
  const count = (verdict: Case['verdict']) => cases.filter((c) => c.verdict === verdict).length;
  const [verdict, setVerdict] = useState<Case['verdict'] | ''>('');
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<string | null>(() => cases.find((c) => c.verdict === 'failed')?.name ?? null);
  const rows = cases.filter((c) => (!verdict || c.verdict === verdict) && c.name.toLowerCase().includes(text.toLowerCase()));
  const shown = cases.find((c) => c.name === chosen && c.verdict !== 'passed');
  const columns: Column<Case>[] = [
    { key: 'verdict', head: r.status, cell: (c) => <Word value={c.verdict} />, sortBy: (c) => c.verdict },
    {
      key: 'name',
      head: t.scenario,
      cell: (c) =>
        c.verdict === 'passed' ? (
          <span className="mono">{c.name}</span>
        ) : (
          <button type="button" className="link mono" onClick={() => setChosen(c.name)}>
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
        <Badge>{t.total(cases.length)}</Badge>
        <Badge tone="ok">{t.passed(count('passed'))}</Badge>
        <Badge tone={count('failed') > 0 ? 'bad' : 'neutral'}>{t.failed(count('failed'))}</Badge>
        <Badge>{t.skipped(count('skipped'))}</Badge>
      </div>
      {count('failed') === 0 && <Note>{t.allWell}</Note>}
      {shown?.verdict === 'failed' && <Failure one={shown} />}
      {shown?.verdict === 'skipped' && (
        <Note>
          <span className="note__text">
            <span className="mono">{shown.name}</span>: {t.skippedBecause} {shown.text}
          </span>
        </Note>
      )}
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
        <Table caption={opened.name} columns={columns} rows={rows.slice(0, 1000)} rowKey={(c) => c.name} selected={chosen ?? undefined} />
      )}
      {rows.length > 1000 && <p className="muted">{t.firstOnly(1000, rows.length)}</p>}
    </>
  );
}
