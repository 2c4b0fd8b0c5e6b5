// Which tools an agent has, and when a person is asked before one runs.
import { useState } from 'react';
import type { Tool } from 'troupe-client';
import { Button, Checkbox, Field, Input, Select } from '../../../ui';
import { Word } from '../../common/parts';
import { asText, isObject, problemsAt, textsAt, valueAt, withValue } from './definition';
import { Group, type Editing } from './controls';
import { useAgentsText } from './text';

/** Every agent has it, chosen or not. */
const ofAll = 'read_output';
const policies = ['always', 'never', 'by_effect'] as const;

export function ToolsField({ of, tools }: { of: Editing; tools: readonly Tool[] }) {
  const e = useAgentsText();
  const [another, setAnother] = useState('');
  const chosen = textsAt(of.definition, ['tools']);
  const approval = valueAt(of.definition, ['approval']);
  const rules = isObject(approval) ? Object.keys(approval) : [];
  const listed = tools.map((tool) => tool.name).filter((name) => name !== ofAll || chosen.includes(name));
  // A source of tools stands for all that it has, and the server may know a name only when the source is there.
  const all = [...new Set([...listed, ...chosen, ...rules])];
  const put = (next: readonly string[]) => of.onChange(withValue(of.definition, ['tools'], next.length > 0 ? next : undefined));
  const add = () => {
    const name = another.trim();
    if (name !== '' && !chosen.includes(name)) put([...chosen, name]);
    setAnother('');
  };
  const problems = [...problemsAt(of.problems, ['tools']), ...problemsAt(of.problems, ['approval'])];
  return (
    <Group title={e.tools} about={e.toolsAbout} problems={problems}>
      <ul className="tool-choices">
        {all.map((name) => {
          const tool = tools.find((one) => one.name === name);
          const isOn = chosen.includes(name);
          return (
            <li key={name} className="tool-choice">
              <div className="tool-choice__name">
                <Checkbox
                  label={<code>{name}</code>}
                  checked={isOn}
                  onChange={(event) => put(event.target.checked ? [...chosen, name] : chosen.filter((one) => one !== name))}
                />
                {tool ? <Word value={tool.effect} /> : <span className="muted small">{name === '*' ? e.everyTool : e.notListed}</span>}
              </div>
              {(isOn || rules.includes(name)) && <Policy of={of} name={name} />}
              {tool && (
                <p className="tool-choice__about muted small" lang="en">
                  {tool.description}
                </p>
              )}
            </li>
          );
        })}
      </ul>
      <div className="row another">
        <Field label={e.anotherTool} hint={e.anotherHint}>
          {(p) => (
            <Input
              {...p}
              value={another}
              onChange={(event) => setAnother(event.target.value)}
              onKeyDown={(event) => {
                if (event.key !== 'Enter') return;
                event.preventDefault();
                add();
              }}
            />
          )}
        </Field>
        <Button disabled={another.trim() === ''} onClick={add}>
          {e.add}
        </Button>
      </div>
    </Group>
  );
}

function Policy({ of, name }: { of: Editing; name: string }) {
  const e = useAgentsText();
  const value = valueAt(of.definition, ['approval', name]);
  const text = asText(value);
  const isRules = value !== undefined && !policies.some((p) => p === value);
  return (
    <Select
      className="tool-choice__policy"
      aria-label={e.approvalOf(name)}
      value={isRules ? 'rules' : text}
      onChange={(event) => of.onChange(withValue(of.definition, ['approval', name], event.target.value || undefined))}
    >
      <option value="">{e.asToolSays}</option>
      {policies.map((policy) => (
        <option key={policy} value={policy}>
          {e.policies[policy]}
        </option>
      ))}
      {isRules && (
        <option value="rules" disabled>
          {e.byRules}
        </option>
      )}
    </Select>
  );
}

