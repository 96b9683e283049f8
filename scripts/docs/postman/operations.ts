import type { OpenApiDocument } from '@semantic-memory/api/openapi';

/** A parameter in the query or the headers. */
export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
}

/** A route of the OpenAPI document, as far as the collection shows it. */
export interface Operation {
  readonly id: string;
  /** In upper case. */
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string | undefined;
  readonly needsToken: boolean;
  readonly parameters: readonly Parameter[];
  /** By status: the fields that the JSON of the answer always has; none where it is something else. */
  readonly neededFields: Readonly<Record<string, readonly string[]>>;
}

interface Schema {
  readonly $ref?: string;
  readonly required?: readonly string[];
}

interface Written {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema: Schema }>> }>>;
}

/** The operations of the document, by id. */
export function operationsOf(document: OpenApiDocument): Map<string, Operation> {
  const schemas = (document.components?.schemas ?? {}) as Readonly<Record<string, Schema>>;
  const paths = Object.entries((document.paths ?? {}) as unknown as Record<string, Record<string, Written>>);
  const operations = paths.flatMap(([path, byMethod]) =>
    Object.entries(byMethod).map(([method, written]) => operationOf(path, method, written, schemas)),
  );
  return new Map(operations.map((operation) => [operation.id, operation]));
}

function operationOf(
  path: string,
  method: string,
  { operationId, tags, summary, description, security, parameters = [], responses }: Written,
  schemas: Readonly<Record<string, Schema>>,
): Operation {
  const neededFields = Object.entries(responses).map(([status, { content }]) => {
    const schema = content?.['application/json']?.schema;
    const named = schema?.$ref === undefined ? schema : schemas[schema.$ref.slice('#/components/schemas/'.length)];
    return [status, named?.required ?? []] as const;
  });
  return {
    id: operationId,
    method: method.toUpperCase(),
    path,
    tag: tags[0] ?? '',
    summary,
    description,
    needsToken: security?.length !== 0,
    parameters: parameters.filter((parameter) => parameter.in !== 'path'),
    neededFields: Object.fromEntries(neededFields),
  };
}
