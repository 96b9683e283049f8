import { createHash } from 'node:crypto';
import { Command, type Redis } from 'ioredis';

/** A Lua script: one atomic step on the server. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export const script = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') });

/** Runs a script by its hash; the text is sent where the server does not know it (first use, or after a restart). */
export async function runScript(
  redis: Redis,
  { lua, sha }: Script,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
    return redis.eval(lua, keys.length, ...keys, ...args);
  }
}

/** As `runScript`; texts in the answer come as bytes. */
export async function runScriptForBytes(
  redis: Redis,
  { lua, sha }: Script,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
): Promise<unknown> {
  // `callBuffer` loses the command's name where commands are pipelined by themselves (ioredis 6.0.0).
  const send = (name: string, text: string) =>
    redis.sendCommand(new Command(name, [text, keys.length, ...keys, ...args], { replyEncoding: null }));
  try {
    return await send('evalsha', sha);
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
    return send('eval', lua);
  }
}
