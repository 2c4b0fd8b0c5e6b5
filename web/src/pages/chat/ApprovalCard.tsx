// A question to a person, where it was asked: may the tool run, what became of it, or what it wants to know.
import { useId, useState } from 'react';
import { CheckCheck, ShieldAlert, X } from 'lucide-react';
import { Link } from 'wouter';
import type { ApprovalCard as Card, Decision, Remember } from 'troupe-client';
import { api } from '../../api';
import { useCommon } from '../../i18n/common';
import {
  Badge,
  Button,
  codeOf,
  ErrorNote,
  Field,
  formatDuration,
  Input,
  Json,
  Select,
  TextArea,
  toText,
  useNow,
  type Tone,
} from '../../ui';
import { SchemaForm } from './SchemaForm';
import { useWords } from './words';

const riskTones: Record<string, Tone> = { low: 'info', medium: 'warn', high: 'bad' };

function Countdown({ expiresAt }: { expiresAt: string }) {
  const t = useWords();
  const { units } = useCommon();
  const at = Date.parse(expiresAt);
  const left = at - useNow(1000);
  if (Number.isNaN(at) || at <= 0) return null;
  // The server decides when it has expired; this only counts down to it.
  return (
    <Badge tone={left < 60_000 ? 'bad' : 'neutral'}>
      {left > 0 ? t.approval.expires(formatDuration(left, units)) : t.approval.expiresNow}
    </Badge>
  );
}

type Memory = 'no' | 'same' | 'tool' | 'agent';
const memories: Record<Memory, Remember | undefined> = {
  no: undefined,
  same: true,
  tool: { scope: 'session', when: [] },
  agent: { scope: 'agent', when: [] },
};

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Sends a decision, once; who was overtaken by somebody else sees the winner on the card. A settled card stays as it is until the event tells so. */
function useDecide(card: Card) {
  const [busy, setBusy] = useState('');
  const [error, setError] = useState<unknown>(null);
  const decide = async (name: string, decision: Decision) => {
    setBusy(name);
    setError(null);
    try {
      const { status } = await api.client.approvals.decide(card.approvalId, decision);
      if (status === 'pending') setBusy(''); // others must approve, too
    } catch (failure) {
      if (codeOf(failure) === 'APPROVAL_NOT_PENDING') return;
      setError(failure);
      setBusy('');
    }
  };
  return { busy, error, decide };
}

function ToolQuestion({ card }: { card: Card }) {
  const t = useWords();
  const { busy, error, decide } = useDecide(card);
  const [edited, setEdited] = useState<string | null>(null);
  const [note, setNote] = useState('');
  const [memory, setMemory] = useState<Memory>('no');
  const [isBad, setIsBad] = useState(false);
  const common = {
    ...(note.trim() ? { note: note.trim() } : {}),
    ...(card.argumentsHash ? { argumentsHash: card.argumentsHash } : {}),
  };
  const approve = () => {
    const editedInput = edited === null ? undefined : parseObject(edited);
    setIsBad(editedInput === null);
    if (editedInput === null) return;
    const remember = memories[memory];
    void decide('approve', {
      approved: true,
      ...common,
      ...(editedInput === undefined ? {} : { editedInput }),
      ...(remember === undefined ? {} : { remember }),
    });
  };
  return (
    <>
      {edited === null ? (
        <Json value={card.action} label={t.approval.arguments} />
      ) : (
        <Field label={t.approval.arguments} error={isBad ? t.approval.badJson : undefined}>
          {(p) => (
            <TextArea
              {...p}
              className="mono"
              spellCheck={false}
              rows={Math.min(14, edited.split('\n').length + 1)}
              value={edited}
              onChange={(e) => setEdited(e.target.value)}
            />
          )}
        </Field>
      )}
      <div className="approval__fields">
        <Field label={t.approval.note}>
          {(p) => (
            <Input
              {...p}
              value={note}
              placeholder={t.approval.noteHint}
              maxLength={2000}
              onChange={(e) => setNote(e.target.value)}
            />
          )}
        </Field>
        <Field label={t.approval.remember}>
          {(p) => (
            <Select {...p} value={memory} onChange={(e) => setMemory(e.target.value as Memory)}>
              <option value="no">{t.approval.rememberNo}</option>
              <option value="same">{t.approval.rememberSame}</option>
              <option value="tool">{t.approval.rememberTool(card.tool)}</option>
              <option value="agent">{t.approval.rememberAgent(card.tool)}</option>
            </Select>
          )}
        </Field>
      </div>
      {error !== null && <ErrorNote error={error} />}
      <div className="row">
        <Button variant="primary" busy={busy === 'approve'} disabled={busy !== ''} onClick={approve}>
          {edited === null ? t.approval.approve : t.approval.approveEdited}
        </Button>
        <Button
          variant="danger"
          busy={busy === 'deny'}
          disabled={busy !== ''}
          onClick={() => void decide('deny', { approved: false, ...common })}
        >
          {t.approval.deny}
        </Button>
        <Button
          variant="quiet"
          onClick={() => {
            setIsBad(false);
            setEdited(edited === null ? toText(card.action) : null);
          }}
        >
          {edited === null ? t.approval.edit : t.approval.stopEdit}
        </Button>
      </div>
    </>
  );
}

function OutcomeQuestion({ card }: { card: Card }) {
  const t = useWords();
  const { busy, error, decide } = useDecide(card);
  const [note, setNote] = useState('');
  const names = { retry: t.approval.retry, done: t.approval.done, failed: t.approval.failedChoice };
  return (
    <>
      <p>{t.approval.unknownHint}</p>
      <Json value={card.action} label={t.approval.arguments} />
      <Field label={t.approval.note}>
        {(p) => <Input {...p} value={note} maxLength={2000} onChange={(e) => setNote(e.target.value)} />}
      </Field>
      {error !== null && <ErrorNote error={error} />}
      <div className="row">
        {(card.choices ?? (['retry', 'done', 'failed'] as const)).map((choice) => (
          <Button
            key={choice}
            variant={choice === 'retry' ? 'danger' : 'plain'}
            busy={busy === choice}
            disabled={busy !== ''}
            onClick={() => void decide(choice, { choice, ...(note.trim() ? { note: note.trim() } : {}) })}
          >
            {names[choice]}
          </Button>
        ))}
      </div>
    </>
  );
}

function InputQuestion({ card }: { card: Card }) {
  const t = useWords();
  const { busy, error, decide } = useDecide(card);
  return (
    <>
      {card.message && <p className="approval__message">{card.message}</p>}
      <SchemaForm
        schema={card.schema}
        submit={t.approval.answer}
        busy={busy === 'answer'}
        onSubmit={(answer) => void decide('answer', { answer })}
        more={
          <Button
            variant="danger"
            busy={busy === 'decline'}
            disabled={busy !== ''}
            onClick={() => void decide('decline', { approved: false })}
          >
            {t.approval.decline}
          </Button>
        }
      />
      {error !== null && <ErrorNote error={error} />}
    </>
  );
}

function Settled({ card }: { card: Card }) {
  const t = useWords();
  const status = card.status === 'pending' ? 'expired' : card.status;
  const choices = { retry: t.approval.retry, done: t.approval.done, failed: t.approval.failedChoice };
  return (
    <div className="approval approval--settled" data-approval={status}>
      <Badge tone={status === 'approved' ? 'ok' : status === 'denied' ? 'bad' : 'neutral'}>
        {status === 'approved' ? <CheckCheck size={13} aria-hidden /> : <X size={13} aria-hidden />}
        {card.choice ? choices[card.choice] : t.approval.decided[status]}
      </Badge>
      {status !== 'expired' && card.resolvedBy && <span className="muted">{t.approval.by(card.resolvedBy)}</span>}
      {card.note && <q className="approval__note">{card.note}</q>}
    </div>
  );
}

export function ApprovalCard({ card }: { card: Card }) {
  const t = useWords();
  const titleId = useId();
  if (card.status !== 'pending') return <Settled card={card} />;
  const titles = { tool: t.approval.askTool, outcome_unknown: t.approval.askUnknown, input: t.approval.askInput };
  return (
    <section className="approval" aria-labelledby={titleId} data-approval="pending" data-kind={card.kind}>
      <div className="approval__head">
        <ShieldAlert size={18} aria-hidden />
        <h2 id={titleId}>{titles[card.kind](card.tool)}</h2>
        <Badge tone={riskTones[card.riskLevel] ?? 'neutral'}>
          {t.approval.risk(t.approval.risks[card.riskLevel] ?? card.riskLevel)}
        </Badge>
        <Countdown expiresAt={card.expiresAt} />
        {card.requiredApprovals > 1 && <Badge>{t.approval.needs(card.endorsedBy.length, card.requiredApprovals)}</Badge>}
      </div>
      {card.originSessionId && (
        <p>
          <Link href={`/chat/${card.originSessionId}`}>{t.approval.origin}</Link>
        </p>
      )}
      {card.kind === 'tool' ? (
        <ToolQuestion card={card} />
      ) : card.kind === 'input' ? (
        <InputQuestion card={card} />
      ) : (
        <OutcomeQuestion card={card} />
      )}
    </section>
  );
}
