import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { Redis } from 'ioredis';

/** Longest time that a command may take, waiting for the connection included once. */
const commandTimeoutMs = 2000;
/** A connection that is just being made, or made again, is waited for this long before the caller hears that it is away. */
const readyWithinMs = 1000;

/** Back within two seconds of the server's return; the default doubles up to 20 s. */
export const retryDelayMs = (attempt: number): number => Math.min(attempt * 200, 2000);

/**
 * Opens a connection that says quickly when the server is away and comes back by itself. Commands are neither kept
 * while it is away nor sent again after it broke: who called decides whether to repeat.
 */
export function openRedis(url: string, options: { name: string; logger?: Logger | undefined }): Redis {
  const { name, logger } = options;
  const redis = new Redis(url, {
    connectionName: name,
    commandTimeout: commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Whatever was under way when a connection broke fails at once; with 1, only after another try at connecting.
    maxRetriesPerRequest: 0,
    keepAlive: 10_000,
    // What is asked in one turn of the event loop goes out in one write.
    enableAutoPipelining: true,
    // A connection that is closed while Redis is away holds the process for this long.
    disconnectTimeout: 200,
    retryStrategy: retryDelayMs,
  });
  let reachable = true;
  redis.on('ready', () => {
    if (!reachable) logger?.info('Redis answers again', { connection: name });
    reachable = true;
  });
  // Emitted for every attempt: one line when it goes is enough.
  redis.on('error', (error) => {
    if (reachable) logger?.warn('Redis is away', { connection: name, error: error.message });
    reachable = false;
  });
  return redis;
}

/** Runs commands on a connection that is ready, and maps what goes wrong. */
export async function withRedis<Result>(redis: Redis, commands: (redis: Redis) => Promise<Result>): Promise<Result> {
  try {
    if (redis.status !== 'ready') await untilReady(redis);
    return await commands(redis);
  } catch (error) {
    throw redisFailure(error);
  }
}

/** Ends a connection: politely where there is one. */
export async function closeRedis(redis: Redis): Promise<void> {
  if (redis.status === 'ready') await redis.quit().catch(() => redis.disconnect());
  else redis.disconnect();
}

function untilReady(redis: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error) => {
      clearTimeout(timer);
      redis.off('ready', onReady);
      redis.off('end', onEnd);
      error ? reject(error) : resolve();
    };
    const onReady = () => done();
    const onEnd = () => done(new Error('The connection to Redis is closed.'));
    const timer = setTimeout(() => done(new Error('There is no connection to Redis.')), readyWithinMs);
    redis.on('ready', onReady);
    redis.on('end', onEnd);
    if (redis.status === 'end') onEnd();
  });
}

/** Replies of a server that is there but cannot serve now; they pass. https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const passing = /^(LOADING|OOM|READONLY|MISCONF|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOREPLICAS)\b/;

/** What ioredis threw, as the one error type. A reply that blames the command itself is a fault of ours. */
export function redisFailure(thrown: unknown): MemoryError {
  if (thrown instanceof MemoryError) return thrown;
  const error = thrown as Error;
  if (error.name === 'ReplyError' && !passing.test(error.message)) {
    return new MemoryError('internal', 'The ledger refused a command.', { cause: thrown });
  }
  return new MemoryError('dependency_unavailable', 'Redis does not answer.', {
    hint: 'The service goes on by itself once Redis is back.',
    cause: thrown,
  });
}
