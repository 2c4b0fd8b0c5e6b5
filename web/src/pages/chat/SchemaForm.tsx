// A form made from a JSON Schema: a control for each property that is text, a number, a choice or yes/no; JSON for the rest.
// It checks what a person may mistype; the server checks everything.
import { useState, type FormEvent, type ReactNode } from 'react';
import { Button, Checkbox, Field, Input, Select, TextArea } from '../../ui';
import { useWords, type Words } from './words';

interface Property {
  type?: unknown;
  title?: unknown;
  description?: unknown;
  enum?: unknown;
  default?: unknown;
  format?: unknown;
  minLength?: unknown;
  maxLength?: unknown;
  minimum?: unknown;
  maximum?: unknown;
}
type Value = string | boolean;

const mostProperties = 100;
const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const textOf = (v: unknown): string | undefined => (typeof v === 'string' && v !== '' ? v : undefined);
const numberOf = (v: unknown): number | undefined => (typeof v === 'number' ? v : undefined);

function propertiesOf(schema: unknown): [string, Property][] {
  const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {};
  return Object.entries(properties)
    .slice(0, mostProperties)
    .map(([name, p]) => [name, isObject(p) ? p : {}]);
}
function requiredOf(schema: unknown): Set<unknown> {
  return new Set(isObject(schema) && Array.isArray(schema.required) ? schema.required : []);
}
function firstValue(p: Property): Value {
  if (p.type === 'boolean') return p.default === true;
  if (p.default === undefined) return '';
  return typeof p.default === 'string' ? p.default : JSON.stringify(p.default);
}

/** The value as the schema wants it, or what is wrong with it. */
function read(value: Value, p: Property, isRequired: boolean, t: Words): { value?: unknown; error?: string } {
  if (typeof value === 'boolean') return { value };
  if (value === '') return isRequired ? { error: t.approval.mustBeFilled } : {};
  if (Array.isArray(p.enum)) return { value: p.enum.find((e) => String(e) === value) };
  if (p.type === 'number' || p.type === 'integer') {
    const number = Number(value);
    const fits = Number.isFinite(number) && (p.type === 'number' || Number.isInteger(number));
    return fits ? { value: number } : { error: t.approval.mustBeNumber };
  }
  if (p.type === 'string' || p.type === undefined) return { value };
  try {
    return { value: JSON.parse(value) as unknown };
  } catch {
    return { error: t.approval.mustBeJson };
  }
}

export function SchemaForm(props: {
  schema: unknown;
  submit: string;
  busy: boolean;
  onSubmit: (answer: Record<string, unknown>) => void;
  more?: ReactNode;
}) {
  const t = useWords();
  const properties = propertiesOf(props.schema);
  const required = requiredOf(props.schema);
  const [values, setValues] = useState<Record<string, Value>>(() =>
    Object.fromEntries(properties.map(([name, p]) => [name, firstValue(p)])),
  );
  const [errors, setErrors] = useState<Record<string, string>>({});
  const set = (name: string, value: Value) => {
    setValues((before) => ({ ...before, [name]: value }));
    setErrors(({ [name]: _corrected, ...others }) => others);
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const answer: Record<string, unknown> = {};
    const wrong: Record<string, string> = {};
    for (const [name, p] of properties) {
      const { value, error } = read(values[name] ?? '', p, required.has(name), t);
      if (error) wrong[name] = error;
      else if (value !== undefined) answer[name] = value;
    }
    setErrors(wrong);
    if (Object.keys(wrong).length === 0) props.onSubmit(answer);
  };

  const control = (name: string, p: Property) => {
    const label = textOf(p.title) ?? name;
    const value = values[name] ?? '';
    if (p.type === 'boolean')
      return <Checkbox key={name} label={label} checked={value === true} onChange={(e) => set(name, e.target.checked)} />;
    const change = (e: { target: { value: string } }) => set(name, e.target.value);
    const text = String(value);
    return (
      <Field
        key={name}
        label={required.has(name) ? `${label} (${t.approval.required})` : label}
        hint={textOf(p.description)}
        error={errors[name]}
      >
        {(field) => {
          if (Array.isArray(p.enum))
            return (
              <Select {...field} value={text} onChange={change}>
                <option value="">{t.approval.choose}</option>
                {p.enum.map((option) => (
                  <option key={String(option)} value={String(option)}>
                    {String(option)}
                  </option>
                ))}
              </Select>
            );
          if (p.type === 'number' || p.type === 'integer')
            return <Input {...field} inputMode="decimal" value={text} onChange={change} />;
          if (p.type === 'string' || p.type === undefined) {
            const type = p.format === 'email' ? 'email' : p.format === 'date' ? 'date' : 'text';
            const isLong = (numberOf(p.maxLength) ?? 0) > 200;
            return isLong ? (
              <TextArea {...field} rows={3} value={text} onChange={change} />
            ) : (
              <Input {...field} type={type} maxLength={numberOf(p.maxLength)} value={text} onChange={change} />
            );
          }
          return <TextArea {...field} className="mono" rows={3} spellCheck={false} value={text} onChange={change} />;
        }}
      </Field>
    );
  };

  return (
    <form className="stack" onSubmit={submit} noValidate>
      {properties.map(([name, p]) => control(name, p))}
      <div className="row">
        <Button type="submit" variant="primary" busy={props.busy}>
          {props.submit}
        </Button>
        {props.more}
      </div>
    </form>
  );
}
