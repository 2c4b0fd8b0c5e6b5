// The Prometheus text format, as far as the server writes it: comments and samples with labels. Pure.

export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
  help: string;
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)$/;
const label = /(\w+)="((?:[^"\\]|\\.)*)"/g;
const unescaped = (text: string): string => text.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));

export function readMetrics(text: string): Sample[] {
  const help = new Map<string, string>();
  const out: Sample[] = [];
  for (const row of text.split('\n')) {
    const told = /^# HELP (\S+) (.*)$/.exec(row);
    if (told) help.set(told[1]!, told[2]!);
    if (row.startsWith('#')) continue;
    const found = line.exec(row.trim());
    if (!found) continue;
    const labels = Object.fromEntries([...(found[2] ?? '').matchAll(label)].map(([, name, value]) => [name, unescaped(value ?? '')]));
    out.push({ name: found[1]!, labels, value: Number(found[3]), help: help.get(found[1]!) ?? '' });
  }
  return out;
}
