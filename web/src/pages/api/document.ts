// The server's OpenAPI document as the page reads it: operations in groups, references resolved, a command for each. Pure.

export interface Schema {
  $ref?: string;
  type?: string | readonly string[];
  title?: string;
  description?: string;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  enum?: readonly unknown[];
  const?: unknown;
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  allOf?: readonly Schema[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  default?: unknown;
}
export interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
  example?: unknown;
}
export interface Media {
  schema?: Schema;
  examples?: Readonly<Record<string, { value?: unknown }>>;
}
interface Body {
  $ref?: string;
  required?: boolean;
  content?: Readonly<Record<string, Media>>;
}
export interface Answer {
  $ref?: string;
  description?: string;
  content?: Readonly<Record<string, Media>>;
}
interface RawOperation {
  operationId?: string;
  tags?: readonly string[];
  summary?: string;
  description?: string;
  parameters?: readonly Parameter[];
  requestBody?: Body;
  responses?: Readonly<Record<string, Answer>>;
  security?: readonly Readonly<Record<string, readonly string[]>>[];
  deprecated?: boolean;
}
export interface OpenApi {
  openapi: string;
  info: { title: string; version: string; description?: string };
  tags?: readonly { name: string; description?: string }[];
  paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  components?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  tag: string;
  summary: string;
  description: string;
  parameters: readonly Parameter[];
  body: Body | null;
  answers: readonly (Answer & { status: string })[];
  /** Of the first way to sign in; null where none is needed. */
  scopes: readonly string[] | null;
}
export interface Group {
  name: string;
  description: string;
  operations: readonly Operation[];
}

const methods = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'];
const mostHops = 8;

/** What a reference points at; the thing itself where it is none. */
export function resolved<T extends { $ref?: string }>(document: OpenApi, from: T): T {
  let at = from;
  for (let hops = 0; at.$ref !== undefined && hops < mostHops; ++hops) {
    const [, , kind = '', name = ''] = at.$ref.split('/');
    const found = document.components?.[kind]?.[name];
    if (typeof found !== 'object' || found === null) return {} as T;
    at = found as T;
  }
  return at;
}
export const nameOf = (schema: Schema): string => schema.$ref?.split('/').at(-1) ?? '';

export function groupsOf(document: OpenApi): Group[] {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    methods.flatMap((method): Operation[] => {
      const raw = item[method];
      if (!raw) return [];
      const security = raw.security?.[0];
      return [
        {
          id: raw.operationId ?? `${method} ${path}`,
          method: method.toUpperCase(),
          path,
          tag: raw.tags?.[0] ?? '',
          summary: raw.summary ?? '',
          description: raw.description ?? '',
          parameters: (raw.parameters ?? []).map((p) => resolved(document, p)),
          body: raw.requestBody ? resolved(document, raw.requestBody) : null,
          answers: Object.entries(raw.responses ?? {}).map(([status, answer]) => ({ ...resolved(document, answer), status })),
          scopes: security ? (Object.values(security)[0] ?? []) : null,
        },
      ];
    }),
  );
  const names = [...new Set([...(document.tags ?? []).map((tag) => tag.name), ...operations.map((o) => o.tag)])];
  return names
    .map((name) => ({
      name,
      description: document.tags?.find((tag) => tag.name === name)?.description ?? '',
      operations: operations.filter((o) => o.tag === name),
    }))
    .filter((group) => group.operations.length > 0);
}

/** Groups with the operations that have all the words somewhere; all of them for none. */
export function search(groups: readonly Group[], asked: string): Group[] {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (o: Operation) => {
    const text = `${o.method} ${o.path} ${o.id} ${o.tag} ${o.summary} ${o.description}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  return groups.map((group) => ({ ...group, operations: group.operations.filter(fits) })).filter((group) => group.operations.length > 0);
}

/** A type in a few words, such as `string or null`, `list of Agent`. */
export function typeOf(schema: Schema, words: { list: (of: string) => string; or: string; any: string; map: (of: string) => string }): string {
  if (schema.$ref) return nameOf(schema);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return [...new Set(alternatives.map((one) => typeOf(one, words)))].join(` ${words.or} `);
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  const named = types.map((type) => {
    if (type === 'array') return words.list(schema.items ? typeOf(schema.items, words) : words.any);
    if (type === 'object' && !schema.properties && typeof schema.additionalProperties === 'object')
      return words.map(typeOf(schema.additionalProperties, words));
    return type;
  });
  return named.length > 0 ? named.join(` ${words.or} `) : words.any;
}

/** What is inside and worth a look: the object itself, that of a list, that of a map. */
export function innerOf(schema: Schema): readonly Schema[] {
  if (schema.$ref || schema.properties || schema.allOf) return [schema];
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return alternatives.flatMap(innerOf);
  if (schema.items) return innerOf(schema.items);
  if (typeof schema.additionalProperties === 'object') return innerOf(schema.additionalProperties);
  return [];
}

/** Bounds and the like, as `1 … 100`. */
export function boundsOf(schema: Schema): string[] {
  const range = (low: number | undefined, high: number | undefined) =>
    low === undefined && high === undefined ? [] : [`${low ?? ''} … ${high ?? ''}`.trim()];
  return [
    ...(schema.format ? [schema.format] : []),
    ...range(schema.minimum, schema.maximum),
    ...range(schema.minLength, schema.maxLength).map((text) => `${text} characters`),
    ...range(schema.minItems, schema.maxItems).map((text) => `${text} items`),
    ...(schema.pattern ? [`/${schema.pattern}/`] : []),
    ...(schema.default !== undefined ? [`default ${JSON.stringify(schema.default)}`] : []),
  ];
}

export interface CommandOptions {
  base: string;
  hasToken: boolean;
  /** Of parameters in the path, where one is known; others become variables of the shell. */
  values: Readonly<Record<string, string>>;
  body?: { type: string; value?: unknown } | undefined;
}

const variable = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/\W/g, '_').toUpperCase();
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
/** Inside double quotes. */
const escaped = (text: string): string => text.replace(/["\\$`]/g, '\\$&');

/** A command for a POSIX shell. */
export function curlOf(operation: Operation, { base, hasToken, values, body }: CommandOptions): string {
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    return value === undefined ? `$${variable(name)}` : escaped(encodeURIComponent(value));
  });
  const query = operation.parameters
    .filter((p) => p.in === 'query' && p.required)
    .map((p) => `${encodeURIComponent(p.name)}=${p.example === undefined ? `$${variable(p.name)}` : encodeURIComponent(String(p.example))}`);
  const parts = ['curl'];
  if (operation.method !== 'GET') parts[0] += ` -X ${operation.method}`;
  parts[0] += ` "${escaped(base)}${path}${query.length > 0 ? `?${query.join('&')}` : ''}"`;
  if (hasToken && operation.scopes !== null) parts.push('-H "Authorization: Bearer $TROUPE_TOKEN"');
  for (const p of operation.parameters)
    if (p.in === 'header' && p.required) parts.push(`-H "${escaped(p.name)}: $${variable(p.name)}"`);
  if (body?.type.includes('json')) {
    parts.push("-H 'Content-Type: application/json'");
    parts.push(`-d ${quoted(JSON.stringify(body.value ?? {}))}`);
  } else if (body?.type === 'multipart/form-data') {
    parts.push('-F file=@"$FILE"');
  } else if (body) {
    parts.push('--data-binary @"$FILE"');
  }
  return parts.join(' \\\n  ');
}
export const variablesOf = (command: string): string[] => [...new Set([...command.matchAll(/(?<!\\)\$([A-Z][A-Z0-9_]*)/g)].map(([, name]) => name!))];
