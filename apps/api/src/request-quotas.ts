import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Endpoint } from '@semantic-memory/shared/contracts/http/endpoint';
import type { ApiDeps } from './api-deps.ts';

type QuotaDeps = Pick<ApiDeps, 'quotas' | 'limits' | 'logger'>;

/** How many bytes had come on a connection when its last request was over. */
const readBefore = new WeakMap<Socket, number>();

/**
 * Counts a request, and the body that it announces, before a byte of that is read. One that announces no length counts as
 * the largest there may be until its end is known.
 * @throws MemoryError `rate_limited`
 */
export async function takeQuotas(
  { quotas, limits, logger }: QuotaDeps,
  endpoint: Endpoint,
  tenant: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!quotas) return;
  const { socket } = request;
  const before = readBefore.get(socket) ?? 0;
  response.once('close', () => readBefore.set(socket, socket.bytesRead));
  const { uses = [] } = endpoint;
  const needed = Object.fromEntries(uses.map((kind) => [kind, 0]));
  if (!uses.includes('bytes')) return quotas.take(tenant, { requests: 1, ...needed });

  const announced = announcedBytes(request);
  const bytes = announced ?? (endpoint.upload ? limits.maxArchiveBytes : limits.maxFileBytes);
  await quotas.take(tenant, { requests: 1, ...needed, bytes }, { mayOwe: announced === undefined });
  response.once('close', () => {
    if (request.complete && announced !== undefined) return;
    const came = Math.min(socket.bytesRead - before, announced ?? Number.POSITIVE_INFINITY);
    quotas
      .count(tenant, { bytes: came - bytes })
      .catch((error: unknown) => logger.warn('what a request used could not be counted', { error }));
  });
}

/** Undefined where the body comes in pieces of which nobody knows how many. */
const announcedBytes = ({ headers }: IncomingMessage): number | undefined =>
  headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : undefined;
