// As whom this browser talks to the server.
import { api, signOut, useToken } from '../../api';
import { useCommon } from '../../i18n/common';
import { Badge, Button, Card, ErrorNote, Json, Note, Time, useAsync } from '../../ui';
import { Facts } from '../common/parts';
import { claimsOf } from './claims';
import { useSettingsText } from './text';

interface Me {
  id: string;
  username: string;
  roles: string[];
}

export function Access() {
  const t = useSettingsText();
  const common = useCommon();
  const token = useToken();
  const me = useAsync((signal) => api.client.http.json<Me>('GET', '/auth/me', { signal }), [token]);
  const claims = token === null ? null : claimsOf(token);
  return (
    <div className="stack">
      <Card title={t.you}>
        {me.error !== null && <ErrorNote error={me.error} onRetry={me.reload} />}
        {me.data && (
          <Facts
            facts={[
              { name: t.name, value: me.data.username || t.anonymous },
              me.data.id !== '' && { name: t.id, value: <span className="mono">{me.data.id}</span> },
              { name: t.roles, value: me.data.roles.map((role) => <Badge key={role}>{role}</Badge>) },
            ]}
          />
        )}
      </Card>
      <Card title={t.token} actions={token !== null && <Button onClick={signOut}>{common.signIn.out}</Button>}>
        {token === null ? (
          <p>{t.noToken}</p>
        ) : (
          <>
            <Facts
              facts={[
                { name: t.kind, value: claims ? t.isJwt : t.isKey },
                { name: t.endsIn, value: <span className="mono">…{token.slice(-4)}</span> },
                claims !== null && { name: t.subject, value: claims.subject },
                claims !== null && { name: t.expires, value: claims.expiresAt ? <Time at={claims.expiresAt} style="full" /> : t.never },
              ]}
            />
            {claims && <Json value={claims.rest} label={t.claims} />}
            <p className="muted">{t.tokenKept}</p>
          </>
        )}
      </Card>
      <Note>
        <span className="note__text">{t.noTokens}</span>
      </Note>
    </div>
  );
}
