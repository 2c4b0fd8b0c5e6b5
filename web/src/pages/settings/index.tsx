// How the server is set up, as far as it tells: agents, tools, providers and health, limits, who one is. Agents can be edited.
import { useLocation, useRoute } from 'wouter';
import { Tabs } from '../../ui';
import { Remembered } from '../approvals/Remembered';
import { PageFrame } from '../common/parts';
import { Access } from './Access';
import { AgentEditor } from './agents/Editor';
import { AgentList } from './agents/List';
import { Health } from './Health';
import { Limits } from './Limits';
import { useSettingsText } from './text';
import { Tools } from './Tools';
import './settings.css';

const tabs = ['agents', 'tools', 'health', 'limits', 'remembered', 'access'] as const;

/** #/settings/agents, #/settings/agents/new/<project>[/<agent to copy>], #/settings/agents/at/<project>/<agent> */
function Agents() {
  const [, route] = useRoute('/settings/agents/:how/:project/:agent?');
  if (!route) return <AgentList />;
  const { how, project, agent = '' } = route;
  return (
    <AgentEditor
      key={`${how}/${project}/${agent}`}
      project={project}
      agent={how === 'at' ? agent : ''}
      copyOf={how === 'at' ? '' : agent}
    />
  );
}

export default function SettingsPage() {
  const t = useSettingsText();
  const [, go] = useLocation();
  const [, found] = useRoute('/settings/:tab?/*?');
  const tab = tabs.find((name) => name === found?.tab) ?? 'agents';
  return (
    <PageFrame title={t.title} about={t.about}>
      <Tabs label={t.title} active={tab} onChange={(name) => go(`/settings/${name}`)} tabs={tabs.map((id) => ({ id, label: t.tabs[id] }))}>
        {tab === 'agents' && <Agents />}
        {tab === 'tools' && <Tools />}
        {tab === 'health' && <Health />}
        {tab === 'limits' && <Limits />}
        {tab === 'remembered' && <Remembered />}
        {tab === 'access' && <Access />}
      </Tabs>
    </PageFrame>
  );
}
