import { z } from 'zod';

const Operation = z.object({
  operationId: z.string(),
  security: z.array(z.object({ bearer: z.array(z.string()).optional() })),
  parameters: z.array(z.object({ in: z.string(), name: z.string() })).optional(),
  requestBody: z
    .object({
      content: z.record(
        z.string(),
        z.object({ examples: z.record(z.string(), z.object({ value: z.unknown() })).optional() }),
      ),
    })
    .optional(),
});
const Document = z.object({ paths: z.record(z.string(), z.record(z.string(), Operation)) });

/** A route as the service itself describes it. */
export interface Route {
  readonly id: string;
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  /** Undefined where it needs no token. */
  readonly scopes: readonly string[] | undefined;
  readonly pathParameters: readonly string[];
  readonly queryParameters: readonly string[];
  /** Undefined where there is no body. */
  readonly mediaTypes: readonly string[] | undefined;
  /** Bodies that are good. */
  readonly examples: readonly unknown[];
}

/** Every route of a running service, from the document that it serves: one that is new is there by itself. */
export async function readRoutes(url: string): Promise<Route[]> {
  const { paths } = Document.parse(await (await fetch(`${url}/openapi.json`)).json());
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { operationId, security, parameters = [], requestBody }]): Route => {
      const named = (where: string) => parameters.filter((one) => one.in === where).map(({ name }) => name);
      return {
        id: operationId,
        method: method.toUpperCase(),
        path,
        scopes: security.find(({ bearer }) => bearer)?.bearer,
        pathParameters: named('path'),
        queryParameters: named('query'),
        mediaTypes: requestBody && Object.keys(requestBody.content),
        examples: Object.values(requestBody?.content['application/json']?.examples ?? {}).map(({ value }) => value),
      };
    }),
  );
}

/** The path with these in place of its parameters. @throws where one is missing */
export function filledPath(
  { path }: Pick<Route, 'path'>,
  values: Readonly<Record<string, string | undefined>>,
): string {
  return path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${path}: no test knows a value for {${name}}`);
    return encodeURIComponent(value);
  });
}
