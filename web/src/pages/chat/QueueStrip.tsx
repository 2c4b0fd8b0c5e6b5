// The messages that wait for the runs before them: each can be changed, moved and taken out until its run begins.
import { useEffect, useState } from 'react';
import { ArrowDown, ArrowUp, Pencil, Trash2 } from 'lucide-react';
import type { QueuedEntry } from 'troupe-client';
import { Button, ErrorNote, IconButton, TextArea } from '../../ui';
import { useWords } from './words';

export interface QueueActions {
  edit: (messageId: string, content: string) => Promise<unknown>;
  move: (messageId: string, position: number) => Promise<unknown>;
  remove: (messageId: string) => Promise<unknown>;
}

export function QueueStrip({ queue, actions }: { queue: readonly QueuedEntry[]; actions: QueueActions }) {
  const t = useWords();
  const [editing, setEditing] = useState<{ id: string; text: string } | null>(null);
  /** Shown in the place of `old` until the event tells of it. */
  const [saved, setSaved] = useState<{ id: string; text: string; old: string } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const told = queue.find((message) => message.id === saved?.id)?.content;
  useEffect(() => {
    if (saved && told !== saved.old) setSaved(null);
  }, [saved, told]);
  if (queue.length === 0) return null;
  const run = (what: Promise<unknown>) => {
    setError(null);
    what.catch(setError);
  };
  const save = () => {
    const old = queue.find((message) => message.id === editing?.id)?.content;
    if (!editing || editing.text.trim() === '' || old === undefined) return;
    setSaved({ ...editing, old });
    setEditing(null);
    run(
      actions.edit(editing.id, editing.text).catch((failure: unknown) => {
        setSaved(null);
        setEditing((other) => other ?? editing);
        throw failure;
      }),
    );
  };
  const textOf = ({ id, content }: QueuedEntry) => (saved?.id === id && saved.old === content ? saved.text : content);
  return (
    <section className="queue" aria-label={t.queue.title(queue.length)}>
      <h2 className="queue__title">{t.queue.title(queue.length)}</h2>
      {error !== null && <ErrorNote error={error} onClose={() => setError(null)} />}
      <ol className="queue__list">
        {queue.map((message, i) =>
          editing?.id === message.id ? (
            <li key={message.id} className="queue__item">
              <TextArea
                autoFocus
                rows={2}
                aria-label={t.queue.edit}
                value={editing.text}
                onChange={(e) => setEditing({ id: message.id, text: e.target.value })}
                onKeyDown={(event) => {
                  if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
                    event.preventDefault();
                    save();
                  } else if (event.key === 'Escape') {
                    event.stopPropagation();
                    setEditing(null);
                  }
                }}
              />
              <Button size="small" variant="primary" onClick={save}>
                {t.queue.save}
              </Button>
            </li>
          ) : (
            <li key={message.id} className="queue__item">
              <span className="queue__place" title={t.queue.of(i + 1)}>
                {i + 1}
              </span>
              <span className="queue__text">{textOf(message)}</span>
              <IconButton size="small" label={t.queue.up} disabled={i === 0} onClick={() => run(actions.move(message.id, i))}>
                <ArrowUp size={14} aria-hidden />
              </IconButton>
              <IconButton
                size="small"
                label={t.queue.down}
                disabled={i === queue.length - 1}
                onClick={() => run(actions.move(message.id, i + 2))}
              >
                <ArrowDown size={14} aria-hidden />
              </IconButton>
              <IconButton
                size="small"
                label={t.queue.edit}
                onClick={() => setEditing({ id: message.id, text: textOf(message) })}
              >
                <Pencil size={14} aria-hidden />
              </IconButton>
              <IconButton size="small" label={t.queue.remove} onClick={() => run(actions.remove(message.id))}>
                <Trash2 size={14} aria-hidden />
              </IconButton>
            </li>
          ),
        )}
      </ol>
    </section>
  );
}
