import { journey, type Step } from './journey.ts';
import type { Operation } from './operations.ts';

/** https://schema.getpostman.com/json/collection/v2.1.0/collection.json */
const schema = 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json';

const description = `Every route of semantic-memory, with tests in each request. Run from the first to the last it takes four
small documents into the namespace of the environment, uses them, and deletes them.

Set \`token\` in the environment: \`make up\` prints one, \`semantic-memory token\` makes one. The request with a file takes
\`lighthouse.txt\`, which lies beside the collection: choose it, or set the working directory.`;

/**
 * The Postman collection as the file has it, in the order of the journey.
 * @throws where a route has no step, or a step no route
 */
export function renderCollection(operations: ReadonlyMap<string, Operation>): object {
  const walked = new Set(journey.map(({ operation }) => operation));
  const left = [...operations.keys()].filter((id) => !walked.has(id));
  if (left.length > 0) throw new Error(`The journey of the Postman collection passes by ${left.join(', ')}.`);
  const items = journey.map((step) => {
    const operation = operations.get(step.operation);
    if (!operation) throw new Error(`There is no route ${step.operation}.`);
    return { folder: step.folder ?? operation.tag, item: itemOf(step, operation) };
  });
  const folders = Map.groupBy(items, ({ folder }) => folder);
  return {
    info: { name: 'semantic-memory', description, schema },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{token}}', type: 'string' }] },
    item: [...folders].map(([name, own]) => ({ name, item: own.map(({ item }) => item) })),
  };
}

function itemOf(step: Step, operation: Operation): object {
  return {
    name: step.name ?? operation.summary,
    event: [{ listen: 'test', script: { type: 'text/javascript', exec: testsOf(step, operation) } }],
    request: {
      method: operation.method,
      ...(operation.needsToken ? {} : { auth: { type: 'noauth' } }),
      header: headersOf(step),
      ...bodyOf(step),
      url: urlOf(step, operation),
      ...(operation.description ? { description: operation.description } : {}),
    },
  };
}

const headersOf = ({ json, headers = {} }: Step) => [
  ...(json === undefined ? [] : [{ key: 'Content-Type', value: 'application/json' }]),
  ...Object.entries(headers).map(([key, value]) => ({ key, value })),
];

function bodyOf({ json, form }: Step): object {
  if (json !== undefined) {
    return { body: { mode: 'raw', raw: JSON.stringify(json, null, 2), options: { raw: { language: 'json' } } } };
  }
  if (!form) return {};
  const fields = Object.entries(form.fields).map(([key, value]) => ({ key, value, type: 'text' }));
  return { body: { mode: 'formdata', formdata: [...fields, { key: 'file', type: 'file', src: form.file }] } };
}

/** Query parameters that a step does not use are there, switched off. */
function urlOf({ params = {}, query = {} }: Step, { path, parameters }: Operation): object {
  const segments = path.slice(1).split('/');
  const variables = segments.flatMap((segment) => /^\{(\w+)\}$/.exec(segment)?.[1] ?? []);
  const inPath = segments.map((segment) => segment.replace(/^\{(\w+)\}$/, ':$1'));
  const known = parameters.filter((parameter) => parameter.in === 'query');
  const inQuery = known.map(({ name, description: meaning }) => ({
    key: name,
    value: query[name] ?? '',
    ...(query[name] === undefined ? { disabled: true } : {}),
    ...(meaning ? { description: meaning } : {}),
  }));
  const asked = inQuery.filter((one) => !('disabled' in one)).map(({ key, value }) => `${key}=${value}`);
  return {
    raw: `{{baseUrl}}/${inPath.join('/')}${asked.length > 0 ? `?${asked.join('&')}` : ''}`,
    host: ['{{baseUrl}}'],
    path: inPath,
    ...(inQuery.length > 0 ? { query: inQuery } : {}),
    ...(variables.length > 0
      ? { variable: variables.map((key) => ({ key, value: params[key] ?? `{{${key}}}` })) }
      : {}),
  };
}

/** The script that Postman runs after the answer, line by line. */
function testsOf(
  { status = 200, isStreamed = false, holds = {}, keep = {} }: Step,
  { id, neededFields }: Operation,
): string[] {
  const fields = neededFields[status];
  if (!fields) throw new Error(`${id} does not answer ${status}.`);
  const isJson = fields.length > 0 && !isStreamed;
  const needed = fields.map((field) => `'${field}'`).join(', ');
  return [
    'const { response } = pm;',
    `pm.test('answers ${status}', () => response.to.have.status(${status}));`,
    ...(isJson
      ? [
          'const body = response.json();',
          `pm.test('has the fields that the schema needs', () => pm.expect(body).to.include.all.keys(${needed}));`,
        ]
      : []),
    ...Object.entries(holds).map(([name, rule]) => `pm.test('${name}', () => pm.expect(${rule}).to.equal(true));`),
    ...Object.entries(keep).map(([name, value]) => `pm.collectionVariables.set('${name}', ${value});`),
  ];
}
