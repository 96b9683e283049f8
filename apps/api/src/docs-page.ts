import { escapeHtml, htmlPage } from './html.ts';
import type { OpenApiDocument } from './openapi.ts';

/** The parts of the document that the page shows. Everything in it is ours: the document is made from our own table. */
interface ShownDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: Schema;
    readonly description?: string;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Content>> }>
  >;
}

interface Content {
  readonly schema: Schema;
  readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value?: unknown }>>;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
}

/** The reference as one page that needs no script and nothing from elsewhere. */
export function renderDocsPage(document: OpenApiDocument): string {
  const { info, tags: described, paths, components } = document as unknown as ShownDocument;
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = described.map((tag) => tag.name);
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag));
    return `<h2 id="${escapeHtml(tag)}">${escapeHtml(tag)}</h2>${own.map(renderOperation).join('\n')}`;
  });
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<h3 id="schema-${escapeHtml(name)}"><code>${escapeHtml(name)}</code></h3>${renderSchema(schema)}`,
  );
  return htmlPage(
    `${info.title} reference`,
    `<h1>${escapeHtml(info.title)} ${escapeHtml(info.version)}</h1>
<p>${escapeHtml(info.description)} Every call carries <code>Authorization: Bearer TOKEN</code>. This page is made from <a href="/openapi.json">openapi.json</a>.</p>
<nav>${[...tags, 'schemas'].map((tag) => `<a href="#${escapeHtml(tag)}">${escapeHtml(tag)}</a>`).join('')}</nav>
${sections.join('\n')}
<h2 id="schemas">schemas</h2>
${schemas.join('\n')}`,
  );
}

function renderOperation({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const scopes = operation.security.flatMap((requirement) => Object.values(requirement).flat());
  const parameters = (operation.parameters ?? []).map(
    (one) =>
      `<tr><td><code>${escapeHtml(one.name)}</code></td><td>${escapeHtml(one.in)}${one.required ? ', required' : ''}</td><td><code>${schemaText(one.schema)}</code> ${escapeHtml(one.description ?? '')}</td></tr>`,
  );
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(([mediaType, content]) => {
    const examples = Object.values(content.examples ?? {}).map(
      (example) =>
        `<p>${escapeHtml(example.summary)}:</p><pre>${escapeHtml(JSON.stringify(example.value, null, 2))}</pre>`,
    );
    return `<p>Body <code>${escapeHtml(mediaType)}</code>:</p>${renderSchema(content.schema)}${examples.join('')}`;
  });
  const responses = Object.entries(operation.responses).map(([status, response]) => {
    const content = Object.entries(response.content ?? {}).map(
      ([mediaType, { schema }]) => `<code>${escapeHtml(mediaType)}</code> ${schemaText(schema)}`,
    );
    return `<tr><td>${escapeHtml(status)}</td><td>${escapeHtml(response.description)}</td><td>${content.join('<br>')}</td></tr>`;
  });
  return `<section id="${escapeHtml(operation.operationId)}">
<h3><span class="method">${escapeHtml(method)}</span> <code>${escapeHtml(path)}</code></h3>
<p>${escapeHtml(operation.summary)}.${scopes.length > 0 ? ` Needs <code>${escapeHtml(scopes.join(' '))}</code>.` : ''}</p>
${operation.description ? `<p>${escapeHtml(operation.description)}</p>` : ''}
${parameters.length > 0 ? `<table><tr><th>parameter</th><th>in</th><th></th></tr>${parameters.join('')}</table>` : ''}
${bodies.join('')}
<details><summary>Answers</summary><table>${responses.join('')}</table></details>
</section>`;
}

const refPrefix = '#/components/schemas/';

/** A schema in a few characters: its name as a link where it has one. */
function schemaText(schema: Schema): string {
  const { $ref, type, enum: values } = schema;
  if ($ref?.startsWith(refPrefix)) {
    const name = escapeHtml($ref.slice(refPrefix.length));
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if (values) return escapeHtml(values.map((value) => JSON.stringify(value)).join(' | '));
  return escapeHtml(type ?? '');
}

function renderSchema(schema: Schema): string {
  const short = schemaText(schema);
  if (short.startsWith('<a')) return `<p>${short}</p>`;
  const text = escapeHtml(JSON.stringify(schema, null, 2));
  const linked = text.replaceAll(
    /&quot;#\/components\/schemas\/(\w+)&quot;/g,
    (_whole, name: string) => `<a href="#schema-${name}">${name}</a>`,
  );
  return `<details><summary>Schema</summary><pre>${linked}</pre></details>`;
}
