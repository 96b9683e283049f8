import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { dockerRunArgs, removeLeftover } from './docker.ts';
import type { Program } from './program.ts';
import type { RedisSource } from './redis-binary.ts';

/**
 * Redis as a child of ours: on 127.0.0.1, every write in an append-only file that is synced each second, and nothing
 * ever evicted, since the queues and the ledger live in it.
 * @param dataDir its folder, made where it is missing
 * @param more settings beside these
 */
export async function redisProgram(
  source: RedisSource,
  dataDir: string,
  port: number,
  more: Readonly<Record<string, string>> = {},
): Promise<Program> {
  await mkdir(dataDir, { recursive: true });
  const inDocker = source.kind === 'docker';
  const settings: Record<string, string> = {
    port: inDocker ? '6379' : String(port),
    bind: inDocker ? '0.0.0.0' : '127.0.0.1',
    // Docker publishes on 127.0.0.1 only, but what comes in that way is not loopback to the server.
    'protected-mode': inDocker ? 'no' : 'yes',
    dir: inDocker ? '/data' : dataDir,
    appendonly: 'yes',
    appendfsync: 'everysec',
    // The append-only file is enough; a snapshot beside it would fork and write everything twice.
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    ...more,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const base = { name: 'redis', isReady: () => answersPing(port), readyWithinMs: 60_000, explainFailure };
  if (source.kind === 'binary') return { ...base, command: source.path, args };
  await removeLeftover(source.image, dataDir);
  const run = dockerRunArgs(source.image, dataDir, '/data', `${port}:6379`, ['valkey-server', ...args]);
  return { ...base, command: 'docker', args: run, readyWithinMs: 300_000 };
}

function explainFailure(line: string): 'port_taken' | undefined {
  return /Address already in use|port is already allocated/i.test(line) ? 'port_taken' : undefined;
}

/** Whether a Redis answers PONG there; one that still loads its data answers LOADING and is not ready. */
export function answersPing(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => done(false));
    socket.on('connect', () => socket.write('PING\r\n'));
    socket.on('data', (data) => done(data.toString().startsWith('+PONG')));
    socket.on('error', () => done(false));
    socket.on('close', () => resolve(false));
  });
}
