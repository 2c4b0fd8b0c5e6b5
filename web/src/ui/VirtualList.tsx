// A list that keeps only what is near the screen in the document: 10,000 rows scroll like ten. Rows may have any height.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, type ReactNode } from 'react';

export function VirtualList<Item>(props: {
  label: string;
  items: readonly Item[];
  itemKey: (item: Item, index: number) => string;
  /** A guess of a row's height in pixels, until it was seen. */
  estimate: number;
  className?: string;
  render: (item: Item, index: number) => ReactNode;
}) {
  const { items, itemKey, estimate, render } = props;
  const frame = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => frame.current,
    estimateSize: () => estimate,
    getItemKey: (index) => itemKey(items[index]!, index),
    overscan: 8,
  });
  return (
    <div
      ref={frame}
      className={props.className}
      style={{ overflowY: 'auto' }}
      tabIndex={0}
      role="list"
      aria-label={props.label}
    >
      <div style={{ height: rows.getTotalSize(), position: 'relative' }} role="presentation">
        {rows.getVirtualItems().map((row) => (
          <div
            key={row.key}
            ref={rows.measureElement}
            data-index={row.index}
            role="listitem"
            aria-setsize={items.length}
            aria-posinset={row.index + 1}
            style={{ position: 'absolute', top: 0, left: 0, right: 0, transform: `translateY(${row.start}px)` }}
          >
            {render(items[row.index]!, row.index)}
          </div>
        ))}
      </div>
    </div>
  );
}
