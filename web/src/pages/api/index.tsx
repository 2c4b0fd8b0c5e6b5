// The server's REST interface, from its own OpenAPI document: #/api, #/api/<operation>, #/api/schema/<name>.
import { Fragment, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { ArrowLeft } from 'lucide-react';
import { Link, useRoute } from 'wouter';
import { api } from '../../api';
import { Card, EmptyState, ErrorNote, Field, Input, Loading, useAsync } from '../../ui';
import { PageFrame } from '../common/parts';
import { useProject, useSetup } from '../common/useProjects';
import { groupsOf, search, type Group, type OpenApi, type Schema } from './document';
import { Method, OperationView } from './OperationView';
import { Prose, SchemaView } from './Schema';
import { useApiText } from './text';
import './api.css';

const address = '/api/v1/openapi.json';
const documentUrl = new URL(`.${address}`, new URL('.', window.location.href)).href;

export default function ApiPage() {
  const t = useApiText();
  const [, route] = useRoute('/api/:what?/:name?');
  const what = route?.what;
  const asked = useAsync((signal) => api.client.http.json<OpenApi>('GET', address, { signal }), []);
  const groups = useMemo(() => (asked.data ? groupsOf(asked.data) : []), [asked.data]);
  const values = useValues();
  const operation = groups.flatMap((group) => group.operations).find((o) => o.id === what);
  const schema = what === 'schema' && route?.name ? (asked.data?.components?.schemas?.[route.name] as Schema | undefined) : undefined;
  const shown = useRef<HTMLDivElement>(null);
  const count = groups.reduce((sum, group) => sum + group.operations.length, 0);
  // A link to an operation begins at its top, and is read out from there.
  const place = what === undefined ? '' : `${what}/${route?.name ?? ''}`;
  useEffect(() => {
    if (place !== '' && asked.data) shown.current?.querySelector('h2')?.focus();
  }, [place, asked.data]);
  return (
    <PageFrame
      title={t.title}
      about={asked.data && t.about(count)}
      actions={
        <a className="button" href={documentUrl} target="_blank" rel="noreferrer">
          {t.document}
        </a>
      }
    >
      {asked.error !== null && <ErrorNote error={asked.error} onRetry={asked.reload} />}
      {!asked.data && asked.loading && <Loading />}
      {asked.data && (
        <div className="api" data-chosen={what !== undefined || undefined}>
          <Operations groups={groups} current={what} />
          <div className="api__shown" ref={shown}>
            {what !== undefined && (
              <Link href="/api" className="back api__back">
                <ArrowLeft size={16} aria-hidden /> {t.back}
              </Link>
            )}
            {operation && <OperationView key={operation.id} document={asked.data} operation={operation} values={values} />}
            {schema && route?.name && (
              <article className="stack">
                <h2 tabIndex={-1}>
                  {t.schema} <code>{route.name}</code>
                </h2>
                <SchemaView document={asked.data} schema={schema} />
              </article>
            )}
            {what === undefined && <Overview document={asked.data} groups={groups} />}
            {what !== undefined && !operation && !schema && <EmptyState title={t.noSuch(route?.name ?? what)} />}
          </div>
        </div>
      )}
    </PageFrame>
  );
}

/** What stands in the place of {p} and {a} in commands: something that this server has. */
function useValues(): Readonly<Record<string, string>> {
  const setup = useSetup();
  const project = useProject(setup.data);
  const agent = setup.data?.projects.find((p) => p.id === project)?.defaultAgentId;
  return useMemo(() => ({ ...(project && { p: project }), ...(agent && { a: agent }) }), [project, agent]);
}

function Operations({ groups, current }: { groups: readonly Group[]; current: string | undefined }) {
  const t = useApiText();
  const [text, setText] = useState('');
  const asked = useDeferredValue(text);
  const found = useMemo(() => search(groups, asked), [groups, asked]);
  const count = found.reduce((sum, group) => sum + group.operations.length, 0);
  return (
    <nav className="api__list" aria-label={t.operations}>
      <Field label={t.search} hint={t.searchHint}>
        {(p) => <Input {...p} type="search" value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
      <p className="muted small" role="status">
        {count > 0 ? t.found(count) : t.nothingFits}
      </p>
      {found.map((group) => (
        <section key={group.name} aria-label={group.name}>
          <h2 className="api__group" lang="en">
            {group.name}
          </h2>
          <ul>
            {group.operations.map((o) => (
              <li key={o.id}>
                <Link href={`/api/${encodeURIComponent(o.id)}`} className="api__link" title={o.summary} aria-current={o.id === current ? 'page' : undefined}>
                  <Method name={o.method} />
                  <span className="mono">
                    <Path text={o.path} />
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}

/** May break before each of its parts. */
const Path = ({ text }: { text: string }) => (
  <>
    {text.split('/').map((part, i) => (
      <Fragment key={i}>
        {i > 0 && (
          <>
            <wbr />/
          </>
        )}
        {part}
      </Fragment>
    ))}
  </>
);

function Overview({ document, groups }: { document: OpenApi; groups: readonly Group[] }) {
  const t = useApiText();
  return (
    <div className="stack">
      <p>
        <Prose text={document.info.description} />
      </p>
      <p className="muted">{t.pick}</p>
      <div className="api__groups">
        {groups.map((group) => (
          <Card key={group.name} title={<h2 lang="en">{group.name}</h2>}>
            <p className="muted">
              <Prose text={group.description} />
            </p>
            <p className="small">{t.found(group.operations.length)}</p>
          </Card>
        ))}
      </div>
    </div>
  );
}
