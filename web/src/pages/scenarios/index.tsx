// Scenarios: `/scenarios` is the corpus with the newest run, `/scenarios/runs/R` with that one, `/scenarios/runs` and `/scenarios/report`
// the other tabs. A server without a folder of scenarios says how to give it one, and reports can be opened all the same.
import type { ScenarioRunSummary } from 'troupe-client';
import { useLocation, useRoute } from 'wouter';
import { api } from '../../api';
import { Card, ErrorNote, Loading, Tabs, statusOf, useAsync } from '../../ui';
import { Command, PageFrame, Reload } from '../common/parts';
import { Corpus } from './Corpus';
import { RunHistory } from './History';
import { Reports } from './Reports';
import { useScenarioText } from './text';
import './scenarios.css';

const pollMs = 1500;
const tabs = ['corpus', 'runs', 'report'] as const;

export default function ScenariosPage() {
  const t = useScenarioText();
  const [, go] = useLocation();
  const [, route] = useRoute('/scenarios/:tab?/:run?');
  const tab = route?.run ? 'corpus' : (tabs.find((id) => id === route?.tab) ?? 'corpus');
  const list = useAsync((signal) => api.client.scenarios.list({ signal }), []);
  const isThere = list.data !== undefined;
  const runs = useAsync<readonly ScenarioRunSummary[]>(
    async (signal) => (isThere ? (await api.client.scenarios.runs({ signal })).items : []),
    [isThere],
    (data) => (tab === 'runs' && data?.some((run) => run.status === 'running') ? pollMs : 0),
  );
  const isOff = statusOf(list.error) === 404;

  if (!list.data)
    return (
      <PageFrame title={t.title} about={t.about}>
        {list.error === null && <Loading />}
        {list.error !== null && !isOff && <ErrorNote error={list.error} onRetry={list.reload} />}
        {isOff && (
          <Card title={t.run}>
            <p>{t.notConfigured}</p>
            <Command text="troupe serve --scenarios scenarios/" />
          </Card>
        )}
        {list.error !== null && (
          <Card title={t.openReport}>
            <Reports />
          </Card>
        )}
      </PageFrame>
    );
  return (
    <PageFrame
      title={t.title}
      about={t.about}
      actions={
        <Reload
          loading={list.loading || runs.loading}
          onClick={() => {
            list.reload();
            runs.reload();
          }}
        />
      }
    >
      <Tabs
        label={t.title}
        active={tab}
        onChange={(id) => go(id === 'corpus' ? '/scenarios' : `/scenarios/${id}`)}
        tabs={tabs.map((id) => ({ id, label: id === 'corpus' ? t.tabs.corpus(list.data?.folder ?? '') : t.tabs[id] }))}
      >
        <div className="stack">
          {list.error !== null && <ErrorNote error={list.error} onRetry={list.reload} />}
          {tab === 'corpus' && (
            <>
              {runs.error !== null && <ErrorNote error={runs.error} onRetry={runs.reload} />}
              <Corpus list={list} items={list.data.items} runId={route?.run ?? runs.data?.[0]?.id ?? null} onRuns={runs.reload} />
            </>
          )}
          {tab === 'runs' && <RunHistory runs={runs} />}
          {tab === 'report' && <Reports />}
        </div>
      </Tabs>
    </PageFrame>
  );
}
