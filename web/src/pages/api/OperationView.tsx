// One operation: what it needs, takes and gives, and the command that calls it.
import { useState } from 'react';
import { Copy } from 'lucide-react';
import { useToken } from '../../api';
import { Badge, Button, Json, Table, type Column } from '../../ui';
import { boundsOf, curlOf, variablesOf, type Media, type OpenApi, type Operation, type Parameter } from './document';
import { Prose, SchemaView, TypeName } from './Schema';
import { useApiText } from './text';

// Beside the page itself, as the client asks too.
const base = new URL('.', window.location.href).href.replace(/\/$/, '');

export const Method = ({ name }: { name: string }) => <span className={`method method--${name.toLowerCase()}`}>{name}</span>;

const examplesOf = (media: Media): unknown[] => Object.values(media.examples ?? {}).flatMap((one) => ('value' in one ? [one.value] : []));

export function OperationView({ document, operation: o, values }: { document: OpenApi; operation: Operation; values: Readonly<Record<string, string>> }) {
  const t = useApiText();
  const places: Readonly<Record<string, string>> = t.places;
  const columns: Column<Parameter>[] = [
    {
      key: 'name',
      head: t.name,
      cell: (p) => (
        <>
          <code>{p.name}</code> {p.required && <Badge>{t.required}</Badge>}
        </>
      ),
    },
    { key: 'in', head: t.where, cell: (p) => places[p.in] ?? p.in },
    {
      key: 'type',
      head: t.type,
      cell: (p) => (
        <>
          <TypeName schema={p.schema ?? {}} /> <span className="muted small">{boundsOf(p.schema ?? {}).join(', ')}</span>
        </>
      ),
    },
    {
      key: 'about',
      head: t.description,
      cell: (p) => (
        <div className="parameter__about">
          <Prose text={p.description} />{' '}
          {p.example !== undefined && (
            <span className="muted small">
              {t.example} <code>{String(p.example)}</code>
            </span>
          )}
        </div>
      ),
    },
  ];
  return (
    <article className="stack operation" aria-labelledby="operation" data-operation={o.id}>
      <h2 id="operation" tabIndex={-1} lang="en">
        {o.summary || o.id}
      </h2>
      <p className="operation__path">
        <Method name={o.method} /> <code>{o.path}</code>
      </p>
      {o.description && (
        <p>
          <Prose text={o.description} />
        </p>
      )}
      <p className="muted">
        {o.scopes === null ? (
          t.needsNothing
        ) : o.scopes.length === 0 ? (
          t.needsAny
        ) : (
          <>
            {t.needs}{' '}
            {o.scopes.map((scope) => (
              <code key={scope}>{scope} </code>
            ))}
          </>
        )}
      </p>
      <Commands operation={o} values={values} />
      {o.parameters.length > 0 && (
        <>
          <h3>{t.parameters}</h3>
          <Table caption={t.parameters} columns={columns} rows={o.parameters} rowKey={(p) => `${p.in} ${p.name}`} />
        </>
      )}
      {o.body && (
        <>
          <h3>{t.request}</h3>
          {!o.body.required && <p className="muted">{t.optional}</p>}
          {Object.entries(o.body.content ?? {}).map(([type, media]) => (
            <Content key={type} document={document} type={type} media={media} />
          ))}
        </>
      )}
      <h3>{t.answers}</h3>
      {o.answers.map((answer) => (
        <details key={answer.status} className="answer" open={answer.status.startsWith('2') || undefined}>
          <summary>
            <Badge tone={answer.status.startsWith('2') ? 'ok' : answer.status.startsWith('3') ? 'info' : 'warn'}>{answer.status}</Badge>{' '}
            <Prose text={answer.description} />
          </summary>
          {Object.entries(answer.content ?? {}).map(([type, media]) => (
            <Content key={type} document={document} type={type} media={media} />
          ))}
        </details>
      ))}
    </article>
  );
}

function Content({ document, type, media }: { document: OpenApi; type: string; media: Media }) {
  const t = useApiText();
  const examples = examplesOf(media);
  return (
    <div className="content">
      <p className="muted small">
        <code>{type}</code>
      </p>
      {media.schema && <SchemaView document={document} schema={media.schema} />}
      {examples.map((value, i) => (
        <div key={i} className="stack">
          <h4>{examples.length > 1 ? t.exampleNumber(i + 1) : t.examples}</h4>
          <Json value={value} label={examples.length > 1 ? t.exampleNumber(i + 1) : t.examples} />
        </div>
      ))}
    </div>
  );
}

/** One for every example of the body. */
function Commands({ operation: o, values }: { operation: Operation; values: Readonly<Record<string, string>> }) {
  const t = useApiText();
  const hasToken = useToken() !== null;
  const content = Object.entries(o.body?.content ?? {});
  const [type, media] = content.find(([name]) => name.includes('json')) ?? content[0] ?? [];
  const examples = media ? examplesOf(media) : [];
  const bodies = type === undefined ? [undefined] : examples.length > 0 ? examples.map((value) => ({ type, value })) : [o.body?.required || !type.includes('json') ? { type } : undefined];
  return (
    <>
      {bodies.map((body, i) => (
        <Command key={i} title={bodies.length > 1 ? t.commandNumber(i + 1) : t.command} text={curlOf(o, { base, hasToken, values, body })} />
      ))}
    </>
  );
}

function Command({ title, text }: { title: string; text: string }) {
  const t = useApiText();
  const [copied, setCopied] = useState(false);
  const variables = variablesOf(text);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <div className="stack">
      <div className="row command-head">
        <h3 className="grow">{title}</h3>
        <span role="status" className="muted small">
          {copied && t.copied}
        </span>
        {/* Browsers give it to pages of this machine and to those with TLS only. */}
        {'clipboard' in navigator && (
          <Button size="small" icon={<Copy size={14} aria-hidden />} onClick={() => void copy().catch(() => setCopied(false))}>
            {t.copy}
          </Button>
        )}
      </div>
      <pre className="json curl" tabIndex={0} role="group" aria-label={title}>
        {text}
      </pre>
      {variables.length > 0 && <p className="muted small">{t.variables(variables.join(', '))}</p>}
    </div>
  );
}
