import { useState } from 'react';
import type { Tool } from 'troupe-client';
import { api } from '../../api';
import { Badge, Dialog, EmptyState, Json, Loading, Table, type Column } from '../../ui';
import { ListFoot, Reload, Word } from '../common/parts';
import { usePages } from '../common/usePages';
import { useSetup } from '../common/useProjects';
import { useRecords } from '../common/words';
import { useSettingsText } from './text';

export function Tools() {
  const t = useSettingsText();
  const r = useRecords();
  const setup = useSetup();
  const pages = usePages((query, signal) => api.client.server.tools(query, { signal }), []);
  const [open, setOpen] = useState<Tool | null>(null);
  const users = (name: string) => (setup.data?.agents ?? []).filter((a) => a.tools.includes(name)).map((a) => a.name);
  const columns: Column<Tool>[] = [
    {
      key: 'name',
      head: r.tool,
      cell: (tool) => (
        <>
          <button type="button" className="link mono" onClick={(e) => (e.stopPropagation(), setOpen(tool))}>
            {tool.name}
          </button>
          <div className="tool__about">{tool.description}</div>
        </>
      ),
      sortBy: (tool) => tool.name,
    },
    { key: 'effect', head: t.effect, cell: (tool) => <Word value={tool.effect} />, sortBy: (tool) => tool.effect },
    { key: 'approval', head: t.approval, cell: (tool) => <Word value={tool.approval} />, sortBy: (tool) => tool.approval },
    { key: 'risk', head: t.risk, cell: (tool) => <Word value={tool.riskLevel} /> },
    { key: 'source', head: t.source, cell: (tool) => <code>{tool.source}</code>, sortBy: (tool) => tool.source },
    { key: 'status', head: r.status, cell: (tool) => <Word value={tool.status} />, sortBy: (tool) => tool.status },
    {
      key: 'users',
      head: t.usedBy,
      cell: (tool) => (
        <ul className="chips">
          {users(tool.name).map((name) => (
            <li key={name}>
              <Badge>{name}</Badge>
            </li>
          ))}
        </ul>
      ),
    },
  ];
  return (
    <div className="stack">
      <div className="row bar">
        <p className="grow muted">{t.toolsAbout}</p>
        <Reload loading={pages.loading} onClick={pages.reload} />
      </div>
      {pages.total === undefined && pages.loading && <Loading />}
      {pages.total === 0 && <EmptyState title={t.noTools}>{t.noToolsHow}</EmptyState>}
      {pages.items.length > 0 && (
        <Table caption={t.tabs.tools} columns={columns} rows={pages.items} rowKey={(tool) => tool.name} onRow={setOpen} />
      )}
      <ListFoot pages={pages} />
      <Dialog open={open !== null} title={open?.name ?? ''} onClose={() => setOpen(null)}>
        {open && (
          <>
            <p>{open.description}</p>
            <h3>{t.parameters}</h3>
            <Json value={open.parameters} label={t.parameters} />
          </>
        )}
      </Dialog>
    </div>
  );
}
