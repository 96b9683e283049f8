import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

export interface EventStream {
  /** Resolves when the caller can take more. */
  send(event: { readonly id?: string; readonly event: string; readonly data: unknown }): Promise<void>;
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
  const heartbeat = setInterval(() => {
    if (!response.destroyed) response.write(': alive\n\n');
  }, heartbeatMs);
  response.once('close', () => clearInterval(heartbeat));
  return {
    async send({ id, event, data }) {
      if (response.destroyed || response.writableEnded) return;
      const text = `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
      if (response.write(text)) return;
      const closed = new AbortController();
      const onClose = () => closed.abort();
      response.once('close', onClose);
      await once(response, 'drain', { signal: closed.signal }).catch((error: unknown) => {
        if (!closed.signal.aborted) throw error;
      });
      response.off('close', onClose);
    },
    end() {
      clearInterval(heartbeat);
      response.end();
    },
  };
}
