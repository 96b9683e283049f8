import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { QuotaKind } from '../quotas.ts';

export const scopes = ['memory:read', 'memory:write', 'memory:admin'] as const;
export type ScopeName = (typeof scopes)[number];

/** Everything that a tenant calls lies below this. */
export const apiPrefix = '/api/v1/memory';

/** A request body of parts: small named fields, and files that are streamed. */
export interface MultipartBody {
  /** All fields, parsed; what is not named here is refused. */
  readonly fields: z.ZodType;
  /** The name of the file parts. */
  readonly file: string;
  readonly files: 'one' | 'many';
}

/** What an answer carries, by its media type. */
export interface EndpointResponse {
  readonly description: string;
  /** Absent for an answer without a body, and for bytes and events. */
  readonly schema?: z.ZodType;
  /** `application/json` where there is a schema, unless given. */
  readonly mediaType?: string;
  /** What the request may ask for instead. */
  readonly otherMediaType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface EndpointExample {
  readonly summary: string;
  readonly request?: unknown;
  readonly response?: unknown;
}

/** One route as a value: the server binds it, the document describes it and the client calls it. */
export interface Endpoint {
  /** Names the route, in the document and in code. */
  readonly id: string;
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** Below `apiPrefix`, with parameters in braces. */
  readonly path: string;
  /** The token needs all of them. */
  readonly scopes: readonly ScopeName[];
  /** Of which quotas something must be left, beside that of requests. `bytes`: the body counts. */
  readonly uses?: readonly Exclude<QuotaKind, 'requests'>[];
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** Header names in lower case. */
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly multipart?: MultipartBody;
  /** The media type of a body of bytes, which the handler reads. */
  readonly upload?: string;
  readonly responses: Readonly<Record<number, EndpointResponse>>;
  /** Beyond those that every route has. */
  readonly errors: readonly ErrorCode[];
  readonly examples?: readonly EndpointExample[];
}

/** Keeps the exact types of an endpoint, so that a handler gets its parsed parts typed. */
export function defineEndpoint<const Definition extends Endpoint>(definition: Definition): Definition {
  return definition;
}

/** What every route may answer. */
export const commonErrors = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'rate_limited',
  'dependency_unavailable',
  'rebuilding',
  'internal',
] as const satisfies readonly ErrorCode[];
