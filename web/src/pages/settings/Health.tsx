// Whether the server and what it needs do well: its own health, providers, sources of tools, and its figures.
import { api } from '../../api';
import { useCommon } from '../../i18n/common';
import { Badge, Card, ErrorNote, Loading, Note, Table, formatBytes, formatDuration, formatNumber, statusOf, useAsync, type Column } from '../../ui';
import { Facts, Reload } from '../common/parts';
import { useSetup } from '../common/useProjects';
import { readMetrics, type Sample } from './metrics';
import { useSettingsText } from './text';

const pollMs = 10_000;

export function Health() {
  const t = useSettingsText();
  const health = useAsync((signal) => api.client.server.health({ signal }), [], pollMs);
  const ready = useAsync((signal) => api.client.server.ready({ signal }), [], pollMs);
  const metrics = useAsync(async (signal) => readMetrics(await api.client.server.metrics({ signal })), [], pollMs);
  const reload = () => [health, ready, metrics].forEach((one) => one.reload());
  const isRefused = statusOf(metrics.error) === 403 || statusOf(metrics.error) === 401;
  return (
    <div className="stack">
      <div className="row bar">
        <p className="grow muted">{t.healthAbout}</p>
        <Reload loading={ready.loading || metrics.loading} onClick={reload} />
      </div>
      {health.error !== null && <ErrorNote error={health.error} onRetry={health.reload} />}
      <Card title={t.server}>
        <Facts
          facts={[
            health.data !== undefined && { name: t.version, value: health.data.version },
            { name: t.alive, value: health.error === null ? health.data && <Badge tone="ok">{t.yes}</Badge> : <Badge tone="bad">{t.no}</Badge> },
            {
              name: t.storage,
              value: ready.error === null ? ready.data && <Badge tone="ok">{t.answers}</Badge> : <Badge tone="bad">{t.answersNot}</Badge>,
            },
          ]}
        />
        {ready.error !== null && health.error === null && <ErrorNote error={ready.error} onRetry={ready.reload} />}
        {ready.data?.degraded?.map((part) => (
          <Note key={`${part.kind} ${part.name}`} tone="warn">
            <span className="note__text">{t.degraded(part.kind, part.name, part.state)}</span>
          </Note>
        ))}
      </Card>
      <Providers samples={metrics.data} />
      <Card title={t.figures}>
        {metrics.error !== null && (isRefused ? <Note>{t.metricsRefused}</Note> : <ErrorNote error={metrics.error} onRetry={metrics.reload} />)}
        {!metrics.data && metrics.loading && <Loading />}
        {metrics.data && <Figures samples={metrics.data} />}
      </Card>
    </div>
  );
}

interface Provider {
  id: string;
  models: string;
  agents: string;
  isHeldBack: boolean | undefined;
}

function Providers({ samples }: { samples: readonly Sample[] | undefined }) {
  const t = useSettingsText();
  const setup = useSetup();
  const breakers = (samples ?? []).filter((s) => s.name === 'troupe_provider_breaker_open');
  const agents = setup.data?.agents ?? [];
  const ids = [...new Set([...agents.map((a) => a.provider), ...breakers.map((s) => s.labels.provider ?? '')])].filter(Boolean).sort();
  const rows: Provider[] = ids.map((id) => {
    const own = agents.filter((a) => a.provider === id);
    const breaker = breakers.find((s) => s.labels.provider === id);
    return {
      id,
      models: [...new Set(own.map((a) => a.model))].join(', '),
      agents: own.map((a) => a.name).join(', '),
      isHeldBack: breaker && breaker.value !== 0,
    };
  });
  const columns: Column<Provider>[] = [
    { key: 'id', head: t.provider, cell: (p) => <code>{p.id}</code> },
    {
      key: 'state',
      head: t.state,
      cell: (p) =>
        p.isHeldBack === undefined ? (
          <span className="muted">{t.notTold}</span>
        ) : p.isHeldBack ? (
          <Badge tone="bad">{t.heldBack}</Badge>
        ) : (
          <Badge tone="ok">{t.takesCalls}</Badge>
        ),
    },
    { key: 'models', head: t.models, cell: (p) => p.models },
    { key: 'agents', head: t.usedBy, cell: (p) => p.agents },
  ];
  return (
    <Card title={t.providers}>
      {setup.error !== null && <ErrorNote error={setup.error} onRetry={setup.reload} />}
      {rows.length > 0 && <Table caption={t.providers} columns={columns} rows={rows} rowKey={(p) => p.id} />}
      <p className="muted small">{t.providersAbout}</p>
    </Card>
  );
}

function Figures({ samples }: { samples: readonly Sample[] }) {
  const t = useSettingsText();
  const units = useCommon().units;
  const text = (s: Sample) =>
    s.name.endsWith('_bytes') ? formatBytes(s.value) : s.name.endsWith('_seconds') || s.name.endsWith('_seconds_total') ? formatDuration(s.value * 1000, units) : formatNumber(s.value);
  const columns: Column<Sample>[] = [
    {
      key: 'name',
      head: t.figure,
      cell: (s) => (
        <>
          <code>{s.name}</code>
          {Object.entries(s.labels).map(([name, value]) => (
            <span key={name} className="muted">
              {' '}
              {name}={value}
            </span>
          ))}
          <div className="muted small" lang="en">
            {s.help}
          </div>
        </>
      ),
    },
    { key: 'value', head: t.value, align: 'end', cell: text },
  ];
  return <Table caption={t.figures} columns={columns} rows={samples} rowKey={(s) => `${s.name} ${JSON.stringify(s.labels)}`} />;
}
