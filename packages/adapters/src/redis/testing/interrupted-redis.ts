import type { Redis } from 'ioredis';

/**
 * Redis as its caller has it, with something that happens between two of its calls: `onCall` is told of each call before
 * it takes place, and makes it.
 */
export function interruptedRedis(
  redis: Redis,
  onCall: (name: string, run: () => unknown, args: readonly unknown[]) => unknown,
): Redis {
  return new Proxy(redis, {
    get(target, property) {
      const value = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => onCall(String(property), () => value.apply(target, args), args);
    },
  });
}
