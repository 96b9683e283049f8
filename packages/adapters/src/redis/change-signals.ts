import type { Redis } from 'ioredis';
import { closeRedis, withRedis } from './connection.ts';

/**
 * A published message can be lost (a connection that broke, a server that failed over), so a waiting reader looks by
 * itself from time to time.
 */
const lookAgainMs = 5000;

export interface Changes {
  /** Resolves once something may have changed since the last call, or the signal fires. */
  next(signal: AbortSignal): Promise<void>;
  stop(): void;
}

export interface ChangeSignals {
  listen(channel: string): Promise<Changes>;
  close(): Promise<void>;
}

/** One subscriber connection for all readers of this process, opened with the first one. */
export function createChangeSignals(open: () => Redis): ChangeSignals {
  const listeners = new Map<string, Set<() => void>>();
  /** Channels that were left while the connection was away: it subscribes to them anew by itself. */
  const left = new Set<string>();
  let connection: Redis | undefined;

  const subscriber = () => {
    if (connection) return connection;
    connection = open();
    connection.on('message', (channel: string) => {
      for (const wake of listeners.get(channel) ?? []) wake();
    });
    // What was published while the connection was away is lost: everyone looks.
    connection.on('ready', () => {
      for (const ofChannel of listeners.values()) for (const wake of ofChannel) wake();
      for (const channel of left) if (!listeners.has(channel)) unsubscribe(channel);
      left.clear();
    });
    return connection;
  };

  const unsubscribe = (channel: string) => {
    if (connection?.status === 'ready') connection.unsubscribe(channel).catch(() => left.add(channel));
    else left.add(channel);
  };

  return {
    async listen(channel) {
      const redis = subscriber();
      const waiting = createWaiting();
      const ofChannel = listeners.get(channel) ?? new Set();
      listeners.set(channel, ofChannel.add(waiting.wake));
      const stop = () => {
        ofChannel.delete(waiting.wake);
        if (ofChannel.size > 0 || listeners.get(channel) !== ofChannel) return;
        listeners.delete(channel);
        unsubscribe(channel);
      };
      try {
        await withRedis(redis, () => redis.subscribe(channel));
      } catch (error) {
        stop();
        throw error;
      }
      return { next: waiting.next, stop };
    },
    async close() {
      if (connection) await closeRedis(connection);
    },
  };
}

function createWaiting() {
  let pending = false;
  let resume = () => {};
  return {
    wake() {
      pending = true;
      resume();
    },
    async next(signal: AbortSignal) {
      if (!pending && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const done = () => {
            clearTimeout(timer);
            signal.removeEventListener('abort', done);
            resume = () => {};
            resolve();
          };
          const timer = setTimeout(done, lookAgainMs);
          signal.addEventListener('abort', done);
          resume = done;
        });
      }
      pending = false;
    },
  };
}
