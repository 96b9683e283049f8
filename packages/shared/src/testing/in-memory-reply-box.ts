import type { ReplyBox } from '../ports/reply-box.ts';

/** Replies in this process. @param replies boxes that share it are as many processes */
export function createInMemoryReplyBox(
  shared: { readonly replies: Map<string, string>; readonly readers: Set<() => void> } = {
    replies: new Map(),
    readers: new Set(),
  },
): ReplyBox {
  const { replies, readers } = shared;
  const nameOf = (tenant: string, id: string) => JSON.stringify([tenant, id]);
  return {
    async send(tenant, id, reply) {
      replies.set(nameOf(tenant, id), reply);
      for (const wake of readers) wake();
    },
    async receive(tenant, id, signal) {
      const name = nameOf(tenant, id);
      for (;;) {
        const reply = replies.get(name);
        replies.delete(name);
        if (reply !== undefined || signal.aborted) return reply;
        const { promise, resolve } = Promise.withResolvers<void>();
        readers.add(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
        await promise;
        readers.delete(resolve);
      }
    },
    close: async () => {},
  };
}
