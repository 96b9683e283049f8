import type { ServerResponse } from 'node:http';

export interface EventStream {
  /** Resolves when the caller can take more. */
  send(event: { readonly id: string; readonly event: string; readonly data: unknown }): Promise<void>;
  end(): void;
}

/**
 * Begins an answer of server-sent events (WHATWG HTML section 9.2). Comments keep the connection open through proxies,
 * and the headers keep compression and buffers from holding events back.
 */
export function openEventStream(response: ServerResponse, heartbeatMs: number): EventStream {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
  const heartbeat = setInterval(() => response.write(': alive\n\n'), heartbeatMs);
  response.once('close', () => clearInterval(heartbeat));
  return {
    async send({ id, event, data }) {
      if (response.destroyed || response.writableEnded) return;
      if (response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`)) return;
      await takenOrGone(response);
    },
    end() {
      clearInterval(heartbeat);
      response.end();
    },
  };
}

/** Resolves once the caller has taken what was written, or has gone. */
function takenOrGone(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const onEither = () => {
      response.off('drain', onEither);
      response.off('close', onEither);
      resolve();
    };
    response.on('drain', onEither);
    response.on('close', onEither);
  });
}
