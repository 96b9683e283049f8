import { Agent, type IncomingMessage, request as sendRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface BalancedAnswer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * A load balancer in small: asks each replica whether it is ready, sends requests in turn to those that are, keeps
 * connections open, and lets them go where a replica asks for it. It repeats nothing: a request that breaks has broken.
 */
export interface BalancedClient {
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<BalancedAnswer>;
  /** The answer as it begins, for streams. */
  open(path: string, headers?: Record<string, string>): Promise<IncomingMessage>;
  isReady(replica: number): boolean;
  close(): void;
}

const probeEveryMs = 50;

/** @param bases addresses such as `http://127.0.0.1:8080` */
export function createBalancedClient(bases: readonly string[], token: string): BalancedClient {
  const replicas = bases.map((base) => ({ base, agent: new Agent({ keepAlive: true, maxSockets: 20 }), ready: false }));
  let turn = 0;
  let closed = false;

  const probe = async (replica: (typeof replicas)[number]) => {
    while (!closed) {
      replica.ready = await fetch(`${replica.base}/health/ready`, { signal: AbortSignal.timeout(2000) }).then(
        async (answer) => {
          await answer.arrayBuffer();
          return answer.ok;
        },
        () => false,
      );
      await delay(probeEveryMs);
    }
  };
  for (const replica of replicas) void probe(replica);

  async function next() {
    for (;;) {
      for (let tries = 0; tries < replicas.length; tries += 1) {
        turn = (turn + 1) % replicas.length;
        const replica = replicas[turn];
        if (replica?.ready) return replica;
      }
      await delay(10);
    }
  }

  async function begin(method: string, path: string, text: string | undefined, headers: Record<string, string>) {
    const { base, agent } = await next();
    return new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = sendRequest(base + path, {
        method,
        agent,
        headers: {
          authorization: `Bearer ${token}`,
          ...(text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
          ...headers,
        },
      });
      outgoing.once('error', (cause) =>
        reject(new Error(`${method} ${path} broke${outgoing.reusedSocket ? ' on a kept connection' : ''}`, { cause })),
      );
      outgoing.once('response', resolve);
      outgoing.end(text);
    });
  }

  return {
    async send(method, path, body, headers = {}) {
      const answer = await begin(method, path, body === undefined ? undefined : JSON.stringify(body), headers);
      const parts: Buffer[] = [];
      for await (const part of answer) parts.push(part as Buffer);
      const text = Buffer.concat(parts).toString();
      return { status: answer.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) };
    },
    open: (path, headers = {}) => begin('GET', path, undefined, headers),
    isReady: (replica) => replicas[replica]?.ready ?? false,
    close() {
      closed = true;
      for (const { agent } of replicas) agent.destroy();
    },
  };
}
