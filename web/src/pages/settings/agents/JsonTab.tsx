// The whole definition as JSON, as the configuration file has it.
import { Field, TextArea } from '../../../ui';
import { Said } from './controls';
import type { Problem } from './definition';
import { useAgentsText } from './text';

export function JsonTab(props: { text: string; problem: string | null; problems: readonly Problem[]; onChange: (text: string) => void }) {
  const { text, problem, problems, onChange } = props;
  const e = useAgentsText();
  const error =
    problem !== null ? (
      <>
        {e.noJson}: {problem === '' ? e.noObject : <span lang="en">{problem}</span>}
      </>
    ) : (
      problems.length > 0 && <Said problems={problems} />
    );
  return (
    <Field label={e.definition} hint={e.jsonHint} error={error} className="json-field">
      {(p) => (
        <TextArea
          {...p}
          rows={Math.min(36, Math.max(12, text.split('\n').length + 1))}
          spellCheck={false}
          autoCapitalize="off"
          value={text}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
