// Thumbs and a note on an answer: stored by the server, one for each person, replaced by the next, taken back when asked.
import { useEffect, useId, useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import { ThumbsDown, ThumbsUp } from 'lucide-react';
import type { Answer, AnswerFeedback, Rating as Thumb } from 'troupe-client';
import { useCommon } from '../../i18n/common';
import { Button, ErrorNote, Field, IconButton, TextArea } from '../../ui';
import { isMine } from '../common/useMe';
import { useWords } from './words';

const longestNote = 2000;
const thumbs = ['up', 'down'] as const;

export type Rate = (feedback: { rating: Thumb; note?: string } | null) => Promise<unknown>;

interface RatingProps {
  answer: Answer;
  me: string | undefined;
  /** The form with the note is open. */
  isOpen: boolean;
  onOpen: (isOpen: boolean) => void;
}

export const ownOf = (answer: Answer, me: string | undefined): AnswerFeedback | undefined =>
  answer.feedback?.find((f) => isMine(f.by, me));

/** The two buttons. The first click rates, and offers the note; on the own rating it opens what was said. */
export function Thumbs({ answer, me, isOpen, onOpen, formId, rate, onError }: RatingProps & { formId: string; rate: Rate; onError: (error: unknown) => void }) {
  const t = useWords();
  const own = ownOf(answer, me);
  const click = (rating: Thumb) => {
    if (own?.rating === rating) return onOpen(!isOpen);
    onError(null);
    onOpen(true);
    rate({ rating, ...(own?.note ? { note: own.note } : {}) }).catch(onError);
  };
  return (
    <>
      {thumbs.map((rating) => {
        const all = (answer.feedback ?? []).filter((f) => f.rating === rating);
        const names = all.map((f) => (isMine(f.by, me) ? t.rating.me : f.by)).join(', ');
        const label = all.length > 0 ? `${t.rating[rating]}, ${all.length}: ${names}` : t.rating[rating];
        const pressed = own?.rating === rating;
        const Icon = rating === 'up' ? ThumbsUp : ThumbsDown;
        return (
          <IconButton
            key={rating}
            size="small"
            label={label}
            aria-pressed={pressed}
            aria-expanded={pressed ? isOpen : undefined}
            aria-controls={pressed && isOpen ? formId : undefined}
            data-thumb={rating}
            className={`thumb ${pressed ? 'is-on' : ''}`}
            onClick={() => click(rating)}
          >
            <Icon size={14} aria-hidden fill={pressed ? 'currentColor' : 'none'} />
            {(all.length > 1 || (all.length === 1 && !pressed)) && <span className="thumb__count">{all.length}</span>}
          </IconButton>
        );
      })}
    </>
  );
}

/** What one says besides the thumb, and what others said. */
export function RatingForm({ answer, me, onOpen, formId, rate, error, onError }: Omit<RatingProps, 'isOpen'> & { formId: string; rate: Rate; error: unknown; onError: (error: unknown) => void }) {
  const t = useWords();
  const common = useCommon();
  const own = ownOf(answer, me);
  const [note, setNote] = useState(own?.note ?? '');
  const [busy, setBusy] = useState('');
  const frame = useRef<HTMLFormElement>(null);
  const titleId = useId();
  const others = (answer.feedback ?? []).filter((f) => f !== own && f.note);
  useEffect(() => frame.current?.querySelector('textarea')?.focus(), []);
  const close = () => {
    onOpen(false);
    frame.current?.parentElement?.querySelector<HTMLElement>('.thumb[aria-pressed="true"], .thumb')?.focus();
  };
  const attempt = async (name: string, feedback: Parameters<Rate>[0]) => {
    setBusy(name);
    onError(null);
    try {
      await rate(feedback);
      close();
    } catch (failure) {
      onError(failure);
      // The button that was pressed takes no focus while it works.
      frame.current?.querySelector('textarea')?.focus();
    } finally {
      setBusy('');
    }
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (own) void attempt('save', { rating: own.rating, ...(note.trim() ? { note: note.trim() } : {}) });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation(); // It would stop the run.
      close();
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save(event);
  };
  return (
    <form ref={frame} id={formId} className="rating" aria-labelledby={titleId} onSubmit={save} onKeyDown={onKeyDown}>
      <strong id={titleId}>{own?.rating === 'down' ? t.rating.whyDown : t.rating.whyUp}</strong>
      {others.map((f) => (
        <p key={f.by}>
          <span className="muted">
            {f.by || t.someone} ({t.rating[f.rating]}):
          </span>{' '}
          <q>{f.note}</q>
        </p>
      ))}
      <Field label={t.rating.note} hint={t.rating.noteHint}>
        {(p) => <TextArea {...p} rows={2} maxLength={longestNote} value={note} onChange={(e) => setNote(e.target.value)} />}
      </Field>
      {error !== null && <ErrorNote error={error} />}
      <div className="row">
        <Button size="small" type="submit" variant="primary" busy={busy === 'save'} disabled={busy !== '' || !own}>
          {t.rating.save}
        </Button>
        {own && (
          <Button size="small" busy={busy === 'back'} disabled={busy !== ''} onClick={() => void attempt('back', null)}>
            {t.rating.back}
          </Button>
        )}
        <Button size="small" variant="quiet" onClick={close}>
          {common.close}
        </Button>
      </div>
    </form>
  );
}
