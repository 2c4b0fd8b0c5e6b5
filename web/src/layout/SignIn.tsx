// What a server with `auth` in its configuration asks first.
import { useState, type FormEvent } from 'react';
import { signIn, signInWithPassword } from '../api';
import { useCommon } from '../i18n/common';
import { Button, Card, ErrorNote, Field, Input, Tabs } from '../ui';

type Way = 'token' | 'password';

export function SignIn() {
  const t = useCommon();
  const [way, setWay] = useState<Way>('token');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const value = (name: string) => String(data.get(name) ?? '').trim();
    setBusy(true);
    setError(null);
    try {
      const known =
        way === 'token'
          ? await signIn(value('token'))
          : await signInWithPassword(value('user'), String(data.get('password') ?? ''));
      if (!known) setError(t.signIn.refused);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="page" style={{ maxWidth: '30rem', paddingTop: '10vh' }}>
      <h1>{t.product}</h1>
      <Card title={t.signIn.title}>
        <p className="muted">{t.signIn.about}</p>
        <form className="stack" onSubmit={(event) => void submit(event)}>
          <Tabs
            label={t.signIn.title}
            tabs={[
              { id: 'token', label: t.signIn.byToken },
              { id: 'password', label: t.signIn.byPassword },
            ]}
            active={way}
            onChange={(id) => setWay(id as Way)}
          >
            <div className="stack">
              {way === 'token' ? (
                <Field label={t.signIn.token} hint={t.signIn.tokenHint}>
                  {(p) => <Input {...p} key="token" name="token" type="password" autoComplete="off" required />}
                </Field>
              ) : (
                <>
                  <Field label={t.signIn.user}>{(p) => <Input {...p} name="user" autoComplete="username" required />}</Field>
                  <Field label={t.signIn.password}>
                    {(p) => <Input {...p} name="password" type="password" autoComplete="current-password" required />}
                  </Field>
                </>
              )}
            </div>
          </Tabs>
          {error !== null && <ErrorNote error={error} />}
          <Button type="submit" variant="primary" busy={busy}>
            {t.signIn.submit}
          </Button>
        </form>
      </Card>
    </main>
  );
}
