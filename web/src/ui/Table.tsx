import { useMemo, useState, type ReactNode } from 'react';
import { ArrowDown, ArrowUp } from 'lucide-react';

export interface Column<Row> {
  key: string;
  head: ReactNode;
  cell: (row: Row) => ReactNode;
  /** Numbers stand at the end. */
  align?: 'start' | 'end';
  /** Makes the head a button that sorts by this. */
  sortBy?: (row: Row) => string | number;
}

interface TableProps<Row> {
  /** What a screen reader calls the table. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  selected?: string;
  /** A click anywhere in the row. Give the row a link or button too: rows take no focus. */
  onRow?: (row: Row) => void;
}

export function Table<Row>({ caption, columns, rows, rowKey, selected, onRow }: TableProps<Row>) {
  const [order, setOrder] = useState<{ key: string; down: boolean } | null>(null);
  const sorted = useMemo(() => {
    const by = columns.find((c) => c.key === order?.key)?.sortBy;
    if (!by || !order) return rows;
    const factor = order.down ? -1 : 1;
    return [...rows].sort((a, b) => {
      const [x, y] = [by(a), by(b)];
      return (x < y ? -1 : x > y ? 1 : 0) * factor;
    });
  }, [rows, columns, order]);

  const head = (column: Column<Row>) => {
    if (!column.sortBy) return column.head;
    const active = order?.key === column.key ? order : null;
    const toggle = () => setOrder(active?.down ? { key: column.key, down: false } : { key: column.key, down: true });
    return (
      <button type="button" className="table__sort" onClick={toggle}>
        {column.head}
        {active && (active.down ? <ArrowDown size={14} aria-hidden /> : <ArrowUp size={14} aria-hidden />)}
      </button>
    );
  };
  const sortOf = (column: Column<Row>) =>
    order?.key === column.key ? (order.down ? ('descending' as const) : ('ascending' as const)) : undefined;
  const classOf = (column: Column<Row>) => (column.align === 'end' ? 'is-end' : undefined);

  return (
    <div className="table__frame" tabIndex={0} role="region" aria-label={caption}>
      <table className="table">
        <caption className="hidden-text">{caption}</caption>
        <thead>
          <tr>
            {columns.map((c) => (
              <th key={c.key} scope="col" className={classOf(c)} aria-sort={sortOf(c)}>
                {head(c)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => {
            const key = rowKey(row);
            return (
              <tr
                key={key}
                className={onRow ? 'is-clickable' : undefined}
                data-selected={selected === key || undefined}
                onClick={onRow && (() => onRow(row))}
              >
                {columns.map((c) => (
                  <td key={c.key} className={classOf(c)}>
                    {c.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
