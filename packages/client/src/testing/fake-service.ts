import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer, type FakeRequest, type State, type StoredDocument } from './fake-routes.ts';

/** Answers one request instead of the service; true where it did. */
export type Interception = (request: FakeRequest, response: ServerResponse) => boolean;

export interface FakeService {
  readonly url: string;
  readonly requests: FakeRequest[];
  readonly documents: Map<string, StoredDocument>;
  /** Asked before every request, in order, until it answers once. */
  intercept(interception: Interception): void;
  close(): Promise<void>;
}

/**
 * The contract in small, over real HTTP: what is ingested is found by the words it holds. Files called `*.bin` are of an
 * unsupported type and empty ones are empty; everything else is text.
 */
export async function startFakeService(): Promise<FakeService> {
  const state: State = { documents: new Map(), jobs: new Map(), keys: new Map() };
  const requests: FakeRequest[] = [];
  const interceptions: Interception[] = [];
  const server = createServer(async (incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'http://fake');
    const pieces = await incoming.toArray().catch(() => undefined);
    // Whoever sent it broke off.
    if (!pieces) return;
    const body = Buffer.concat(pieces);
    const { method = 'GET', headers } = incoming;
    const request = { method, path: url.pathname, query: url.searchParams, headers, body };
    requests.push(request);
    const index = interceptions.findIndex((interception) => interception(request, response));
    if (index >= 0) interceptions.splice(index, 1);
    else await answer(state, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    documents: state.documents,
    intercept: (interception) => interceptions.push(interception),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/** An address at which nothing listens: that of a service which has just ended. */
export async function deserted(): Promise<string> {
  const service = await startFakeService();
  await service.close();
  return service.url;
}
