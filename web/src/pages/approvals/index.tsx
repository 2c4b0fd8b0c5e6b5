// The inbox: what waits for a person in any session, what was decided, and what is remembered.
import { useLocation, useRoute } from 'wouter';
import { Dialog, Tabs } from '../../ui';
import { PageFrame } from '../common/parts';
import { Detail } from './Detail';
import { History } from './History';
import { Inbox } from './Inbox';
import { Remembered } from './Remembered';
import { useApprovalText } from './text';
import './approvals.css';

const tabs = ['waiting', 'history', 'remembered'] as const;
type TabName = (typeof tabs)[number];

export default function ApprovalsPage() {
  const t = useApprovalText();
  const [, go] = useLocation();
  const [, found] = useRoute('/approvals/:tab?/:id?');
  const tab: TabName = tabs.find((name) => name === found?.tab) ?? 'waiting';
  const id = found?.id;
  const close = () => go(`/approvals/${tab}`);
  const open = (approval: string) => go(`/approvals/${tab}/${approval}`);
  return (
    <PageFrame title={t.title} about={t.about}>
      <Tabs
        label={t.title}
        active={tab}
        onChange={(name) => go(`/approvals/${name}`)}
        tabs={tabs.map((name) => ({ id: name, label: t.tabs[name] }))}
      >
        {tab === 'waiting' && <Inbox onOpen={open} />}
        {tab === 'history' && <History onOpen={open} />}
        {tab === 'remembered' && <Remembered />}
      </Tabs>
      <Dialog open={id !== undefined} wide title={t.detail} onClose={close}>
        {id !== undefined && <Detail key={id} id={id} onDone={close} />}
      </Dialog>
    </PageFrame>
  );
}
