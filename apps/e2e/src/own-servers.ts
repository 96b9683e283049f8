import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Command, type ManagedProcess, manageProcess } from './chaos/fleet/managed-process.ts';
import { answersOk, answersPing } from './server-answers.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** A Redis and a Chroma that belong to one test, which may kill, freeze and fill them. */
export interface OwnServers {
  readonly redis: ManagedProcess & { readonly port: number };
  readonly chroma: ManagedProcess & { readonly port: number };
  readonly folder: string;
  /** Where the service finds them. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly port: number;
}

export async function startOwnServers(): Promise<OwnServers> {
  const folder = await mkdtemp(join(tmpdir(), 'semantic-memory-servers-'));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=development', 'scripts/test-server-commands.ts', folder],
    { cwd: repository, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  const commands = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<'redis' | 'chroma', ServerCommand>;
  await mkdir(join(folder, 'logs'));
  const manage = (name: string, { command, args, env, port }: ServerCommand, isReady: Command['isReady']) => {
    // A file that may not grow ends a process by this signal, unless it is ignored: then the write fails, as on a full disk.
    const started = {
      name,
      command: 'sh',
      args: ['-c', 'trap "" XFSZ; exec "$@"', name, command, ...args],
      env,
      isReady,
    };
    const events = { onUnexpectedEnd: () => {}, onSpawn: () => {} };
    return Object.assign(manageProcess(started, join(folder, 'logs', `${name}.log`), events), { port });
  };
  const redis = manage('redis', commands.redis, () => answersPing(commands.redis.port));
  const chroma = manage('chroma', commands.chroma, () =>
    answersOk(`http://127.0.0.1:${commands.chroma.port}/api/v2/heartbeat`),
  );
  await Promise.all([redis.start(), chroma.start()]);
  return {
    redis,
    chroma,
    folder,
    env: {
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      CHROMA_HOST: '127.0.0.1',
      CHROMA_PORT: String(chroma.port),
    },
    async stop() {
      await Promise.all([redis.stop(2000), chroma.stop(2000)]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
