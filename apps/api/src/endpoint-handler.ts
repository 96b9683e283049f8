import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Endpoint } from '@semantic-memory/shared/contracts/http/endpoint';
import type { endpoints } from '@semantic-memory/shared/contracts/http/endpoints';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import type { z } from 'zod';

type ParsedPart<Definition, Name extends string> =
  Definition extends Readonly<Record<Name, infer Schema extends z.ZodType>> ? z.infer<Schema> : undefined;

/** The parts of a request, checked against the endpoint's schemas. */
export interface Input<Definition extends Endpoint> {
  readonly params: ParsedPart<Definition, 'params'>;
  readonly query: ParsedPart<Definition, 'query'>;
  readonly headers: ParsedPart<Definition, 'headers'>;
  /** Undefined where the request is multipart: its parts are still to be read. */
  readonly body: Definition extends { readonly multipart: unknown }
    ? ParsedPart<Definition, 'body'> | undefined
    : ParsedPart<Definition, 'body'>;
}

export interface RequestContext {
  /** The only tenant that this request may see. */
  readonly tenant: string;
  readonly requestId: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** What a handler answers; `written` where it has written to the response itself. */
export type Reply =
  | 'written'
  | { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> };

export type Handler<Definition extends Endpoint> = (
  context: RequestContext,
  input: Input<Definition>,
) => Promise<Reply>;

export type Endpoints = typeof endpoints;
/** One handler for each endpoint of the table: a missing one does not compile. */
export type Handlers = { readonly [Id in keyof Endpoints]: Handler<Endpoints[Id]> };

export const ok = (body: unknown): Reply => ({ status: 200, body });
