// For how much a decision counts beyond this call.
import type { GrantScope, Remember } from 'troupe-client';
import { Field, Select } from '../../ui';
import { useApprovalText } from './text';

export interface RememberChoice {
  scope: GrantScope | '';
  exact: boolean;
  hours: string; // empty: for ever
}

/** Without `when` exactly these arguments are meant, with an empty one any (docs/protocols.md, Approvals). */
export const rememberOf = (choice: RememberChoice): Remember => ({
  ...(choice.scope && { scope: choice.scope }),
  ...(!choice.exact && { when: [] }),
  ...(choice.hours && { expiresInMs: Number(choice.hours) * 3_600_000 }),
});

export function RememberFields({ value, onChange }: { value: RememberChoice; onChange: (next: RememberChoice) => void }) {
  const t = useApprovalText();
  return (
    <div className="filters">
      <Field label={t.remember} hint={value.scope && value.scope !== 'session' ? t.needsAdmin : undefined}>
        {(p) => (
          <Select {...p} value={value.scope} onChange={(e) => onChange({ ...value, scope: e.target.value as GrantScope | '' })}>
            <option value="">{t.rememberNot}</option>
            {(['session', 'agent', 'project'] as const).map((scope) => (
              <option key={scope} value={scope}>
                {t.rememberFor[scope]}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {value.scope && (
        <>
          <Field label={t.when}>
            {(p) => (
              <Select
                {...p}
                value={value.exact ? 'exact' : 'any'}
                onChange={(e) => onChange({ ...value, exact: e.target.value === 'exact' })}
              >
                <option value="exact">{t.whenExact}</option>
                <option value="any">{t.whenAny}</option>
              </Select>
            )}
          </Field>
          <Field label={t.until}>
            {(p) => (
              <Select {...p} value={value.hours} onChange={(e) => onChange({ ...value, hours: e.target.value })}>
                <option value="1">{t.hours(1)}</option>
                <option value="24">{t.hours(24)}</option>
                <option value="168">{t.days(7)}</option>
                <option value="">{t.forEver}</option>
              </Select>
            )}
          </Field>
        </>
      )}
    </div>
  );
}
