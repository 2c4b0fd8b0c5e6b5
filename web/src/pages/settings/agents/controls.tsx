// The controls of the form. Each stands for one place in the definition and shows what the server says of it.
import { useEffect, useState, type ReactNode } from 'react';
import { Field, Input, Select, TextArea } from '../../../ui';
import { asLines, asNumber, asNumbers, asText, isSame, problemsAt, valueAt, withValue, type Definition, type Path, type Problem } from './definition';

export interface Editing {
  definition: Definition;
  problems: readonly Problem[];
  onChange: (next: Definition) => void;
}
interface PlaceProps {
  of: Editing;
  path: Path;
  label: string;
  hint?: ReactNode;
  className?: string;
}

export function Said({ problems }: { problems: readonly Problem[] }) {
  return (
    <>
      {problems.map((problem) => (
        <span key={`${problem.path} ${problem.message}`} className="said-problem" lang="en">
          {problem.path !== '' && <code>{problem.path}</code>} {problem.message}
        </span>
      ))}
    </>
  );
}
export const errorOf = (of: Editing, path: Path): ReactNode => {
  const found = problemsAt(of.problems, path);
  return found.length > 0 && <Said problems={found} />;
};

export function TextAt(props: PlaceProps & { rows?: number; suggestions?: readonly string[]; required?: boolean }) {
  const { of, path, label, hint, className, rows, suggestions, required } = props;
  const value = valueAt(of.definition, path);
  const set = (text: string) => of.onChange(withValue(of.definition, path, text === '' ? undefined : text));
  return (
    <Field label={label} hint={hint} error={errorOf(of, path)} className={className}>
      {(p) =>
        rows ? (
          <TextArea {...p} rows={rows} value={asText(value)} onChange={(e) => set(e.target.value)} />
        ) : (
          <>
            <Input {...p} value={asText(value)} required={required} list={suggestions && `${p.id}-list`} autoComplete="off" onChange={(e) => set(e.target.value)} />
            {suggestions && (
              <datalist id={`${p.id}-list`}>
                {suggestions.map((s) => (
                  <option key={s} value={s} />
                ))}
              </datalist>
            )}
          </>
        )
      }
    </Field>
  );
}

/** Keeps what is typed (`0.` on the way to `0.5`) beside the value that it makes. */
function Typed(props: PlaceProps & { toValue: (text: string) => unknown; toText: (value: unknown) => string; rows?: number }) {
  const { of, path, label, hint, className, toValue, toText, rows } = props;
  const value = valueAt(of.definition, path);
  const [text, setText] = useState(() => toText(value));
  useEffect(() => setText((now) => (isSame(toValue(now), value ?? undefined) ? now : toText(value))), [JSON.stringify(value)]);
  const change = (next: string) => {
    setText(next);
    of.onChange(withValue(of.definition, path, toValue(next)));
  };
  return (
    <Field label={label} hint={hint} error={errorOf(of, path)} className={className}>
      {(p) =>
        rows ? (
          <TextArea {...p} rows={rows} value={text} onChange={(e) => change(e.target.value)} />
        ) : (
          <Input {...p} value={text} inputMode="decimal" autoComplete="off" onChange={(e) => change(e.target.value)} />
        )
      }
    </Field>
  );
}
export const NumberAt = (props: PlaceProps) => <Typed {...props} toValue={asNumber} toText={asText} />;
const listText = (value: unknown): string => (Array.isArray(value) ? value.map(asText).join(', ') : asText(value));
export const NumbersAt = (props: PlaceProps) => <Typed {...props} toValue={asNumbers} toText={listText} />;
const linesText = (value: unknown): string => (Array.isArray(value) ? value.map(asText).join('\n') : asText(value));
/** A list of texts, a line each. */
export const LinesAt = (props: PlaceProps & { rows: number }) => <Typed {...props} toValue={asLines} toText={linesText} />;

/** One of some words; empty leaves the choice to the server. What is there and is none of them is kept and shown. */
export function ChoiceAt(props: PlaceProps & { options: readonly { id: string; name: string }[]; none: string }) {
  const { of, path, label, hint, options, none } = props;
  const value = asText(valueAt(of.definition, path));
  return (
    <Field label={label} hint={hint} error={errorOf(of, path)}>
      {(p) => (
        <Select {...p} value={value} onChange={(e) => of.onChange(withValue(of.definition, path, e.target.value || undefined))}>
          <option value="">{none}</option>
          {options.map((o) => (
            <option key={o.id} value={o.id}>
              {o.name}
            </option>
          ))}
          {value !== '' && !options.some((o) => o.id === value) && <option value={value}>{value}</option>}
        </Select>
      )}
    </Field>
  );
}

/** Several controls under one name, with what the server says of the place as a whole. */
export function Group({ title, about, problems, children }: { title: string; about?: ReactNode; problems?: readonly Problem[]; children: ReactNode }) {
  return (
    <fieldset className="group">
      <legend>{title}</legend>
      {about && <p className="muted small">{about}</p>}
      {problems && problems.length > 0 && (
        <div className="field__error" role="alert">
          <Said problems={problems} />
        </div>
      )}
      {children}
    </fieldset>
  );
}
