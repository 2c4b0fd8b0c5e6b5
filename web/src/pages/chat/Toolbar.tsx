// What one wants to know of a conversation while it goes on: is it connected, what does it cost, who else is here.
import { Menu as MenuIcon, Users } from 'lucide-react';
import { Link } from 'wouter';
import type { Agent, ConnectionState, SessionState } from 'troupe-client';
import { Badge, formatMoney, formatNumber, IconButton, Menu, Meter, useNow, type MenuItem, type Tone } from '../../ui';
import { titleOf, useWords } from './words';

const tones: Record<ConnectionState['status'], Tone> = {
  idle: 'neutral',
  connecting: 'neutral',
  open: 'ok',
  waiting: 'warn',
  closed: 'bad',
};

export function Connection({ state }: { state: SessionState }) {
  const t = useWords();
  const { status, retryAt, error } = state.connection;
  const now = useNow(status === 'waiting' ? 1000 : 0);
  // While it works, that is what one wants to know; the colour of the dot still says that it is connected.
  const open = state.run ? (state.run.isParked ? t.run.parked : t.run.working) : t.connection.open;
  const words =
    state.isDraining && status !== 'open'
      ? t.connection.draining
      : status === 'waiting'
        ? t.connection.waiting(Math.max(0, Math.ceil(((retryAt ?? now) - now) / 1000)))
        : status === 'open'
          ? open
          : t.connection[status];
  return (
    <span
      role="status"
      title={error?.message ?? t.connection.label}
      data-connection={status}
      data-run={state.run ? (state.run.isParked ? 'parked' : 'working') : 'none'}
    >
      <Badge tone={status === 'open' && state.run?.isParked ? 'warn' : tones[status]}>
        <span className="dot" aria-hidden="true" /> {words}
      </Badge>
    </span>
  );
}

function Spend({ state, agent }: { state: SessionState; agent: Agent | undefined }) {
  const t = useWords();
  const { usage, turns } = state;
  const budget = agent?.limits.budgetUsd ?? null;
  const spent = formatMoney(usage.cost);
  const parts = t.toolbar.tokenParts(formatNumber(usage.promptTokens), formatNumber(usage.completionTokens));
  return (
    <div className="toolbar__spend" data-turns={turns} data-tokens={usage.totalTokens} data-cost={usage.cost}>
      <span>{t.toolbar.turns(turns)}</span>
      <span>
        {t.toolbar.tokens(formatNumber(usage.totalTokens))}{' '}
        <span className="muted" title={parts}>
          <span aria-hidden="true" className="toolbar__short">
            ({formatNumber(usage.promptTokens)} + {formatNumber(usage.completionTokens)})
          </span>
          <span className="toolbar__long">({parts})</span>
        </span>
      </span>
      <span title={budget === null ? t.toolbar.noBudget : t.toolbar.cost}>
        {budget === null ? spent : t.toolbar.ofBudget(spent, formatMoney(budget))}
      </span>
      {budget !== null && budget > 0 && <Meter share={usage.cost / budget} />}
    </div>
  );
}

function People({ state }: { state: SessionState }) {
  const t = useWords();
  const others = state.presence.length - 1;
  if (others < 1) return null;
  const names = state.presence.map((u) => u.username || u.userId || t.someone).join(', ');
  return (
    <span title={names} data-presence={state.presence.length}>
      <Badge tone="info">
        <Users size={13} aria-hidden /> {t.toolbar.people(others)}
      </Badge>
    </span>
  );
}

export function Toolbar(props: {
  state: SessionState;
  agent: Agent | undefined;
  agentName: string;
  items: readonly MenuItem[];
  isListOpen: boolean;
  onList: () => void;
}) {
  const t = useWords();
  const { state } = props;
  const parent = state.record?.parentSessionId;
  return (
    <header className="toolbar" aria-label={t.toolbar.label}>
      <IconButton
        className="toolbar__list"
        label={props.isListOpen ? t.sessions.close : t.sessions.open}
        aria-expanded={props.isListOpen}
        aria-controls="conversations"
        onClick={props.onList}
      >
        <MenuIcon size={18} aria-hidden />
      </IconButton>
      <div className="toolbar__title">
        <h1 className="ellipsis">{titleOf(state.title, t)}</h1>
        <span className="muted ellipsis">
          {props.agentName}
          {parent && (
            <>
              {' · '}
              <Link href={`/chat/${parent}`}>{t.toolbar.parent}</Link>
            </>
          )}
        </span>
      </div>
      <People state={state} />
      <Connection state={state} />
      <Spend state={state} agent={props.agent} />
      <Menu label={t.toolbar.more} items={props.items} />
    </header>
  );
}
