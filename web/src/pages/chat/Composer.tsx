// Where a person writes. Enter sends, Shift+Enter begins a line, Escape stops the run (or leaves the editing), ArrowUp in the
// empty field edits the last message. Files are uploaded when the message is sent.
import {
  forwardRef,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
  type ClipboardEvent,
  type DragEvent,
  type KeyboardEvent,
} from 'react';
import { Paperclip, SendHorizontal, Square, X } from 'lucide-react';
import { Button, ErrorNote, formatBytes, IconButton } from '../../ui';
import { useWords } from './words';

export interface ComposerHandle {
  focus(): void;
  edit(text: string): void;
}

interface ComposerProps {
  agentName: string;
  disabled: boolean;
  isRunning: boolean;
  isStopping: boolean;
  /** An earlier message is edited: sending makes a fork. */
  isEditing: boolean;
  /** Of this conversation, kept while another one is shown. */
  draft: string;
  onDraft: (text: string) => void;
  /** Rejects where nothing was taken; the text then stays. */
  onSend: (text: string, files: readonly File[]) => Promise<void>;
  onStop: () => void;
  onEditLast: () => void;
  onLeaveEditing: () => void;
  onTyping: () => void;
}

const tallest = 240;

export const Composer = forwardRef<ComposerHandle, ComposerProps>(function Composer(props, ref) {
  const t = useWords();
  const [text, setText] = useState(props.draft);
  const [files, setFiles] = useState<readonly File[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);

  const change = (next: string) => {
    setText(next);
    props.onDraft(next);
  };
  useImperativeHandle(ref, () => ({
    focus: () => field.current?.focus(),
    edit: (next) => {
      change(next);
      field.current?.focus();
    },
  }));
  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    // What is around keeps its height meanwhile: a moment's shorter one would move the conversation above it.
    const around = area.parentElement;
    if (around) around.style.minHeight = `${around.offsetHeight}px`;
    area.style.height = 'auto';
    area.style.height = `${Math.min(tallest, area.scrollHeight + 2)}px`;
    if (around) around.style.minHeight = '';
  }, [text]);

  const canSend = text.trim() !== '' && !busy && !props.disabled;
  const send = async () => {
    if (!canSend) return;
    const [sentText, sentFiles] = [text, files];
    setBusy(true);
    setError(null);
    if (sentFiles.length === 0) change('');
    try {
      await props.onSend(sentText, sentFiles);
      setFiles([]);
      if (sentFiles.length > 0 && (field.current?.value ?? sentText) === sentText) change('');
    } catch (failure) {
      setError(failure);
      const written = field.current?.value ?? '';
      if (written !== sentText) change(written === '' ? sentText : `${sentText}\n${written}`);
    } finally {
      setBusy(false);
      field.current?.focus();
    }
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      void send();
    } else if (event.key === 'ArrowUp' && text === '' && !props.isEditing) {
      event.preventDefault();
      props.onEditLast();
    }
  };
  const add = (list: FileList | null | undefined) => {
    if (list && list.length > 0) setFiles((before) => [...before, ...Array.from(list)].slice(0, 20));
  };
  const onPaste = (event: ClipboardEvent) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    add(event.clipboardData.files);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    add(event.dataTransfer.files);
  };

  return (
    <div className="composer" onDragOver={(e) => e.preventDefault()} onDrop={onDrop}>
      {props.isEditing && (
        <div className="composer__editing">
          <span className="grow">{t.actions.editing}</span>
          <IconButton label={t.dismiss} size="small" onClick={props.onLeaveEditing}>
            <X size={15} aria-hidden />
          </IconButton>
        </div>
      )}
      {error !== null && <ErrorNote error={error} onClose={() => setError(null)} />}
      {files.length > 0 && (
        <ul className="composer__files">
          {files.map((file, i) => (
            <li key={`${file.name}-${i}`}>
              <Paperclip size={13} aria-hidden />
              <span className="ellipsis">{file.name}</span>
              <span className="muted">{formatBytes(file.size)}</span>
              <IconButton
                label={t.composer.detach(file.name)}
                size="small"
                disabled={busy}
                onClick={() => setFiles((before) => before.filter((_, at) => at !== i))}
              >
                <X size={13} aria-hidden />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
      <div className="composer__row">
        {!props.isEditing && (
          <IconButton label={t.composer.attach} disabled={props.disabled || busy} onClick={() => picker.current?.click()}>
            <Paperclip size={18} aria-hidden />
          </IconButton>
        )}
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          tabIndex={-1}
          aria-label={t.composer.attach}
          onChange={(event) => {
            add(event.target.files);
            event.target.value = '';
          }}
        />
        <textarea
          ref={field}
          className="composer__text"
          rows={1}
          value={text}
          aria-label={t.composer.label}
          aria-describedby="composer-keys"
          placeholder={t.composer.placeholder(props.agentName)}
          disabled={props.disabled}
          onChange={(event) => {
            change(event.target.value);
            props.onTyping();
          }}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        {props.isRunning && (
          <Button
            variant="danger"
            busy={props.isStopping}
            icon={<Square size={15} aria-hidden />}
            onClick={props.onStop}
            aria-keyshortcuts="Escape"
          >
            <span className="composer__send">{props.isStopping ? t.composer.stopping : t.composer.stop}</span>
          </Button>
        )}
        <Button
          variant="primary"
          busy={busy}
          disabled={!canSend}
          icon={<SendHorizontal size={16} aria-hidden />}
          onClick={() => void send()}
        >
          <span className="composer__send">
            {busy && files.length > 0 ? t.composer.uploading : props.isEditing ? t.composer.sendFork : t.composer.send}
          </span>
        </Button>
      </div>
      <p className="composer__keys muted" id="composer-keys">
        {t.composer.keys}
      </p>
    </div>
  );
});
