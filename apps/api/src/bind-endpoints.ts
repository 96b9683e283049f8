import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { apiPrefix, type Endpoint } from '@semantic-memory/shared/contracts/http/endpoint';
import { endpoints } from '@semantic-memory/shared/contracts/http/endpoints';
import { jsonShapeFault } from '@semantic-memory/shared/contracts/json-shape';
import express, { type Request, type Response, type Router } from 'express';
import type { ApiDeps } from './api-deps.ts';
import { bearerToken, requireScopes } from './auth.ts';
import { watchBody } from './body-idle.ts';
import type { Handler, Handlers, Input, RequestContext } from './endpoint-handler.ts';
import { type Fault, faultsOf, invalidRequest, toHttpError } from './errors.ts';
import { refuseOtherMethods } from './refuse-other-methods.ts';
import { requestIds } from './request-id.ts';
import { takeQuotas } from './request-quotas.ts';

/** Where an endpoint is, as Express writes it. */
const expressPath = (endpoint: Endpoint) => apiPrefix + endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Binds every endpoint of the table: token, scopes, quotas, the parts of the request, then its handler. */
export function bindEndpoints(router: Router, deps: ApiDeps, handlers: Handlers): void {
  const readJson = createJsonReader(deps.limits);
  const methods = new Map<string, string[]>();
  for (const [id, endpoint] of Object.entries(endpoints) as [keyof Handlers, Endpoint][]) {
    const path = expressPath(endpoint);
    methods.set(path, [...(methods.get(path) ?? []), endpoint.method.toUpperCase()]);
    const handle = handlers[id] as Handler<Endpoint>;
    router[endpoint.method](path, async (request, response) => {
      try {
        await answer(deps, endpoint, handle, readJson, request, response);
      } catch (thrown) {
        // Whatever broke when the caller went away is no fault of anything here.
        const error = response.destroyed
          ? new MemoryError('cancelled', 'The caller has gone.', { cause: thrown })
          : thrown;
        if (endpoint.method === 'post' && endpoint.tag === 'ingest') countRefusal(deps, error);
        throw error;
      }
    });
  }
  for (const [path, allowed] of methods) refuseOtherMethods(router, path, allowed);
}

type JsonReader = (request: Request, response: Response) => Promise<unknown>;

function createJsonReader({ maxJsonBytes, uploadIdleMs }: ApiDeps['limits']): JsonReader {
  const read = express.json({
    limit: maxJsonBytes,
    type: () => true,
    verify: (_request, _response, bytes, encoding) => {
      if (encoding.toLowerCase() !== 'utf-8') {
        throw new MemoryError('unsupported_media_type', 'The body comes in a charset that is not understood.', {
          hint: 'Send UTF-8.',
        });
      }
      const fault = jsonShapeFault(bytes);
      if (fault !== undefined) throw invalidRequest([{ path: 'body', message: fault }]);
    },
  });
  return (request, response) =>
    new Promise((resolve, reject) => {
      if (Number(request.headers['content-length'] ?? 0) > maxJsonBytes) throw tooLarge(maxJsonBytes);
      const stopWatching = watchBody(request, uploadIdleMs, () => reject(nothingCame(uploadIdleMs)));
      // The parser says so too, but only when all of the body has come.
      let received = 0;
      const count = (piece: Buffer) => {
        received += piece.length;
        if (received > maxJsonBytes) reject(tooLarge(maxJsonBytes));
      };
      request.on('data', count);
      read(request, response, (error?: unknown) => {
        request.off('data', count);
        stopWatching();
        if (error) reject(error);
        else resolve(request.body);
      });
    });
}

const tooLarge = (maxBytes: number) =>
  new MemoryError('request_too_large', `The body is larger than ${maxBytes} bytes.`);

const nothingCame = (idleMs: number) => new MemoryError('invalid_request', `Nothing came for ${idleMs} ms.`);

async function answer(
  deps: ApiDeps,
  endpoint: Endpoint,
  handle: Handler<Endpoint>,
  readJson: JsonReader,
  request: Request,
  response: Response,
): Promise<void> {
  const principal = await deps.verifyToken(bearerToken(request.headers.authorization));
  requireScopes(principal, endpoint.scopes);
  await takeQuotas(deps, endpoint, principal.tenant, request, response);
  const requestId = requestIds.of(request);
  const input = await readInput(endpoint, readJson, request, response);
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new MemoryError('cancelled', 'The caller has gone.'));
  });
  const context: RequestContext = {
    tenant: principal.tenant,
    requestId,
    request,
    response,
    signal: gone.signal,
    logger: deps.logger.child({ requestId }),
  };
  const reply = await handle(context, input).catch((thrown: unknown) => absentOrLost(deps, thrown));
  if (reply === 'written') return;
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  response.status(reply.status).json(reply.body);
}

/**
 * What the ledger does not know may be what it lost when its server was started anew: nothing is said to be absent before
 * that was looked into.
 */
async function absentOrLost(deps: ApiDeps, thrown: unknown): Promise<never> {
  if (!(thrown instanceof MemoryError) || thrown.code !== 'not_found') throw thrown;
  if (await deps.recovery.isCompared()) throw thrown;
  throw new MemoryError('rebuilding', 'Redis was started anew; what it may have lost is being brought back.', {
    hint: 'Nothing is lost. Ask again in a moment.',
    cause: thrown,
  });
}

/** Checks every part and lists all faults at once. @throws MemoryError `invalid_request`, `unsupported_media_type` */
async function readInput(
  endpoint: Endpoint,
  readJson: JsonReader,
  request: Request,
  response: Response,
): Promise<Input<Endpoint>> {
  const faults: Fault[] = [];
  const check = (name: 'params' | 'query' | 'headers' | 'body', value: unknown): unknown => {
    const parsed = endpoint[name]?.safeParse(value);
    if (parsed?.error) faults.push(...faultsOf(parsed.error, name));
    return parsed?.data;
  };
  const params = check('params', request.params);
  // A query without a schema takes none.
  if (!endpoint.query) faults.push(...Object.keys(request.query).map((key) => unknownQuery(key)));
  const query = check('query', request.query);
  const headers = check('headers', request.headers);
  const multipart = endpoint.multipart !== undefined && request.is('multipart/form-data') !== false && hasBody(request);
  let body: unknown;
  if (endpoint.body && !multipart) {
    requireJson(endpoint, request);
    body = check('body', await readJson(request, response));
  }
  if (faults.length > 0) throw invalidRequest(faults);
  return { params, query, headers, body } as Input<Endpoint>;
}

const unknownQuery = (key: string): Fault => ({ path: `query.${key}`, message: 'is not known here' });

const hasBody = (request: Request) =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;

function requireJson(endpoint: Endpoint, request: Request): void {
  if (!hasBody(request) || request.is('application/json')) return;
  const supported = ['application/json', ...(endpoint.multipart ? ['multipart/form-data'] : [])];
  const detected = request.headers['content-type'] ?? 'no Content-Type';
  throw new MemoryError('unsupported_media_type', `The body comes as ${detected}, which is not understood here.`, {
    hint: `Send ${supported.join(' or ')}.`,
    details: { detected, supported },
  });
}

/** Whose fault it was: the caller's, who may also have gone away, or ours. */
function countRefusal(deps: ApiDeps, thrown: unknown): void {
  const { status, body } = toHttpError(thrown, '');
  deps.metrics.ingestRequest(status < 500 || body.error.code === 'cancelled' ? 'rejected' : 'failed');
}
