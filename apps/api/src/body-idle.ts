import type { IncomingMessage } from 'node:http';

/**
 * Watches a body as it comes.
 * @param onIdle called where nothing has come for `idleMs`
 * @returns stops watching; the connection then has the limit that it had before
 */
export function watchBody(request: IncomingMessage, idleMs: number, onIdle: () => void): () => void {
  // Kept: a request that is over has none any more.
  const { socket } = request;
  const idleBefore = socket.timeout ?? 0;
  request.setTimeout(idleMs, onIdle);
  return () => {
    request.off('timeout', onIdle);
    socket.setTimeout(idleBefore);
  };
}
