import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { Redis } from 'ioredis';
import { type Breaker, type BreakerState, createBreaker } from '../breaker/breaker.ts';
import { redisAddress } from './slot-owner.ts';

/** Longest time that a command may take. With the next one, less than the two seconds within which the API answers. */
const commandTimeoutMs = 1400;
/** A connection that is just being made, or made again, is waited for this long before the caller hears that it is away. */
const readyWithinMs = 400;
/** The first one: a process that has just started is busy with itself. */
const firstReadyWithinMs = 1400;
/** How often a server that is known to be away is asked whether it is back. */
const askAgainMs = 500;
/**
 * A connection that has been asked and stays silent for so long is made anew: where a network swallows packets nothing
 * else would end it for a quarter of an hour. Longer than BullMQ's longest blocking read (10 s).
 */
export const socketTimeoutMs = 15_000;

/** Back within two seconds of the server's return; the default doubles up to 20 s. */
export const retryDelayMs = (attempt: number): number => Math.min(attempt * 200, 2000);

/**
 * Opens a connection that says quickly when the server is away and comes back by itself. Commands are neither kept
 * while it is away nor sent again after it broke: who called decides whether to repeat.
 */
export function openRedis(
  url: string,
  options: {
    readonly name: string;
    /** Begins every key that is used over it: in a cluster it says which node has them. */
    readonly prefix: string;
    readonly logger?: Logger | undefined;
    readonly onBreakerState?: ((state: BreakerState) => void) | undefined;
    /** Shorter where the caller can do without. */
    readonly timeoutMs?: number;
  },
): Redis {
  const { name, prefix, logger, timeoutMs = commandTimeoutMs } = options;
  const address = redisAddress(url, prefix);
  const redis = new Redis(address.url, {
    ...address.options,
    connectionName: name,
    commandTimeout: timeoutMs,
    connectTimeout: commandTimeoutMs,
    socketTimeout: socketTimeoutMs,
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
  // Each call that waits for the connection listens until it is there.
  redis.setMaxListeners(Number.POSITIVE_INFINITY);
  let reachable = true;
  redis.on('ready', () => {
    wereReady.add(redis);
    if (!reachable) logger?.info('Redis answers again', { connection: name });
    reachable = true;
  });
  // Emitted for every attempt: one line when it goes is enough.
  redis.on('error', (error) => {
    if (reachable) logger?.warn('Redis is away', { connection: name, error: error.message });
    reachable = false;
  });
  const breaker = createBreaker({
    verdictOf,
    openMs: () => askAgainMs,
    probe: () => askDirectly(redis, () => redis.echo('')),
    onState: options.onBreakerState,
    describe: () => ({ message: awayMessage, hint: awayHint }),
  });
  breakers.set(redis, breaker);
  redis.on('end', () => breaker.dispose());
  return redis;
}

/** Connections that were there before. */
const wereReady = new WeakSet<Redis>();
/** One a connection: a connection may be lost alone. */
const breakers = new WeakMap<Redis, Breaker>();

/**
 * Runs commands on a connection that is ready, and maps what goes wrong. Where the server is known to be away, says so
 * at once.
 */
export async function withRedis<Result>(redis: Redis, commands: (redis: Redis) => Promise<Result>): Promise<Result> {
  const call = () => askDirectly(redis, commands);
  return breakers.get(redis)?.run(call) ?? call();
}

/** As `withRedis`, also where the server is known to be away: for whoever wants to know about just that. */
export async function askDirectly<Result>(redis: Redis, commands: (redis: Redis) => Promise<Result>): Promise<Result> {
  try {
    if (redis.status !== 'ready') await untilReady(redis);
    return await commands(redis);
  } catch (error) {
    throw redisFailure(error);
  }
}

/** A reply, whatever it says, is an answer. ioredis has no class for a command that timed out. */
function verdictOf(error: unknown): 'answered' | 'failed' | 'gone' {
  const { code, cause } = error as MemoryError & { readonly cause: Error | undefined };
  if (code !== 'dependency_unavailable' || !cause) return 'answered';
  if (cause.name === 'ReplyError') return 'answered';
  return cause.message === 'Command timed out' ? 'gone' : 'failed';
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
    const withinMs = wereReady.has(redis) ? readyWithinMs : firstReadyWithinMs;
    const timer = setTimeout(() => done(new Error('There is no connection to Redis.')), withinMs);
    redis.on('ready', onReady);
    redis.on('end', onEnd);
    if (redis.status === 'end') onEnd();
  });
}

const awayMessage = 'Redis does not answer.';
const awayHint = 'The service goes on by itself once Redis is back.';

/** Replies of a server that is there but cannot serve now; they pass. https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const passing = /^(MOVED|ASK|LOADING|OOM|READONLY|MISCONF|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOREPLICAS)\b/;

/** What ioredis threw, as the one error type. A reply that blames the command itself is a fault of ours. */
export function redisFailure(thrown: unknown): MemoryError {
  if (thrown instanceof MemoryError) return thrown;
  const error = thrown as Error;
  if (error.name === 'ReplyError' && !passing.test(error.message)) {
    return new MemoryError('internal', 'The ledger refused a command.', { cause: thrown });
  }
  if (error.name === 'ReplyError') {
    return new MemoryError('dependency_unavailable', 'Redis takes nothing at the moment.', {
      hint: 'It is full, cannot write to its disk, or has just started. The service goes on by itself.',
      cause: thrown,
    });
  }
  return new MemoryError('dependency_unavailable', awayMessage, { hint: awayHint, cause: thrown });
}
