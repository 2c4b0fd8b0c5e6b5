// A button that shows a few more. Escape and a click elsewhere close it; the focus goes back to the button.
import { useEffect, useId, useRef, useState, type ReactNode } from 'react';
import { MoreHorizontal } from 'lucide-react';
import { IconButton } from './Button';

export interface MenuItem {
  id: string;
  label: string;
  icon?: ReactNode;
  onPick: () => void;
  disabled?: boolean;
}

export function Menu({ label, items }: { label: string; items: readonly MenuItem[] }) {
  const [open, setOpen] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const listId = useId();
  useEffect(() => {
    if (!open) return;
    const away = (event: Event) => {
      if (!frame.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', away);
    document.addEventListener('focusin', away);
    return () => {
      document.removeEventListener('pointerdown', away);
      document.removeEventListener('focusin', away);
    };
  }, [open]);
  return (
    <div
      className="menu"
      ref={frame}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        event.stopPropagation();
        setOpen(false);
        button.current?.focus();
      }}
    >
      <IconButton ref={button} label={label} aria-expanded={open} aria-controls={listId} onClick={() => setOpen(!open)}>
        <MoreHorizontal size={18} aria-hidden />
      </IconButton>
      {open && (
        <ul className="menu__list" id={listId}>
          {items.map((item) => (
            <li key={item.id}>
              <button
                type="button"
                className="menu__item"
                disabled={item.disabled}
                onClick={() => {
                  setOpen(false);
                  button.current?.focus();
                  item.onPick();
                }}
              >
                {item.icon}
                {item.label}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
