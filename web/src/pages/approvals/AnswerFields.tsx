// The answer to a question of a tool: a control for each plain property of its schema, JSON where the schema asks for more.
import { useEffect, useState } from 'react';
import { Checkbox, Field, Input, Select, TextArea } from '../../ui';
import { useApprovalText } from './text';

export interface Answer {
  value: Record<string, unknown>;
  isReady: boolean;
}

interface Property {
  type?: string;
  title?: string;
  description?: string;
  enum?: unknown[];
  default?: unknown;
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const plain = new Set(['string', 'number', 'integer', 'boolean']);

function propertiesOf(schema: unknown): [string, Property][] | null {
  if (!isObject(schema) || !isObject(schema.properties)) return null;
  const all = Object.entries(schema.properties) as [string, Property][];
  const fits = all.every(([, p]) => isObject(p) && (plain.has(String(p.type ?? '')) || Array.isArray(p.enum)));
  return fits && all.length > 0 && all.length <= 30 ? all : null;
}

export function AnswerFields({ schema, onChange }: { schema: unknown; onChange: (answer: Answer) => void }) {
  const t = useApprovalText();
  const properties = propertiesOf(schema);
  const required = isObject(schema) && Array.isArray(schema.required) ? (schema.required as unknown[]) : [];
  const [values, setValues] = useState<Record<string, unknown>>(() =>
    Object.fromEntries((properties ?? []).map(([name, p]) => [name, p.default ?? (p.type === 'boolean' ? false : '')])),
  );
  const [text, setText] = useState('{}');
  let json: unknown = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Said beside the field.
  }

  useEffect(() => {
    if (!properties) return onChange({ value: isObject(json) ? json : {}, isReady: isObject(json) });
    const value: Record<string, unknown> = {};
    for (const [name, p] of properties) {
      const given = values[name];
      if (given === '') continue;
      value[name] = p.type === 'number' || p.type === 'integer' ? Number(given) : given;
    }
    onChange({ value, isReady: required.every((name) => typeof name === 'string' && name in value) });
  }, [values, text]);

  if (!properties)
    return (
      <Field label={t.answerJson} error={isObject(json) ? undefined : t.notAnObject}>
        {(p) => <TextArea {...p} className="mono" rows={6} value={text} onChange={(e) => setText(e.target.value)} />}
      </Field>
    );
  const set = (name: string, value: unknown) => setValues((now) => ({ ...now, [name]: value }));
  return (
    <div className="stack">
      {properties.map(([name, p]) => {
        const label = `${p.title ?? name}${required.includes(name) ? ' *' : ''}`;
        if (p.type === 'boolean')
          return <Checkbox key={name} label={label} checked={values[name] === true} onChange={(e) => set(name, e.target.checked)} />;
        return (
          <Field key={name} label={label} hint={p.description}>
            {(described) =>
              p.enum ? (
                <Select {...described} value={String(values[name])} onChange={(e) => set(name, p.enum?.find((v) => String(v) === e.target.value) ?? '')}>
                  <option value="" />
                  {p.enum.map((v) => (
                    <option key={String(v)} value={String(v)}>
                      {String(v)}
                    </option>
                  ))}
                </Select>
              ) : (
                <Input
                  {...described}
                  type={p.type === 'string' ? 'text' : 'number'}
                  step={p.type === 'integer' ? 1 : 'any'}
                  value={String(values[name])}
                  onChange={(e) => set(name, e.target.value)}
                />
              )
            }
          </Field>
        );
      })}
    </div>
  );
}
