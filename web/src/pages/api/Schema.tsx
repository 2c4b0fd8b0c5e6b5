// What a JSON value may look like. Parts open one by one, so that schemas that hold themselves end.
import { useState } from 'react';
import { Link } from 'wouter';
import { Badge } from '../../ui';
import { boundsOf, innerOf, nameOf, resolved, typeOf, type OpenApi, type Schema } from './document';
import { useApiText } from './text';

/** Text of the document, with its `code`. */
export function Prose({ text }: { text: string | undefined }) {
  if (!text) return null;
  return (
    <span lang="en">{text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</span>
  );
}

export const schemaPath = (name: string): string => `/api/schema/${encodeURIComponent(name)}`;

export function TypeName({ schema }: { schema: Schema }) {
  const t = useApiText();
  return <code className="type">{typeOf(schema, t.types)}</code>;
}

export function SchemaView({ document, schema }: { document: OpenApi; schema: Schema }) {
  const t = useApiText();
  const own = resolved(document, schema);
  const alternatives = own.oneOf ?? own.anyOf ?? own.allOf;
  const properties = Object.entries(own.properties ?? {});
  return (
    <div className="schema">
      {own.description && (
        <p className="muted">
          <Prose text={own.description} />
        </p>
      )}
      {alternatives && (
        <>
          <p className="small muted">{own.allOf ? t.allOf : t.oneOf}</p>
          <ul className="schema__choices">
            {alternatives.map((one, i) => (
              <li key={i}>
                <Part document={document} schema={one} />
              </li>
            ))}
          </ul>
        </>
      )}
      {properties.length > 0 && (
        <dl className="schema__fields">
          {properties.map(([name, field]) => (
            <div key={name} className="schema__field">
              <dt>
                <code>{name}</code> {own.required?.includes(name) && <Badge>{t.required}</Badge>}
              </dt>
              <dd>
                <Part document={document} schema={field} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {!alternatives && properties.length === 0 && <Part document={document} schema={own} isOpen />}
      {properties.length > 0 && own.additionalProperties !== undefined && own.additionalProperties !== false && (
        <p className="small muted">
          {t.more}
          {typeof own.additionalProperties === 'object' && (
            <>
              : <TypeName schema={own.additionalProperties} />
            </>
          )}
        </p>
      )}
    </div>
  );
}

/** A type with its bounds and description, and what is inside behind a button. */
function Part({ document, schema, isOpen = false }: { document: OpenApi; schema: Schema; isOpen?: boolean }) {
  const inner = innerOf(schema);
  const bounds = boundsOf(schema);
  return (
    <>
      <span className="schema__type">
        <TypeName schema={schema} />
        {bounds.map((text) => (
          <span key={text} className="muted small" lang="en">
            {text}
          </span>
        ))}
      </span>
      {!isOpen && schema.description && (
        <div>
          <Prose text={schema.description} />
        </div>
      )}
      {inner.map((one, i) => (
        <Inside key={i} document={document} schema={one} />
      ))}
    </>
  );
}

function Inside({ document, schema }: { document: OpenApi; schema: Schema }) {
  const t = useApiText();
  const [open, setOpen] = useState(false);
  const name = nameOf(schema) || '{…}';
  return (
    <details className="schema__inside" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t.fieldsOf(name)}</summary>
      {open && (
        <div className="schema__open">
          {schema.$ref && (
            <Link href={schemaPath(name)} className="schema__link">
              {t.schema} {name}
            </Link>
          )}
          <SchemaView document={document} schema={schema} />
        </div>
      )}
    </details>
  );
}
