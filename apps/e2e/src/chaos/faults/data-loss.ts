import { readdir, rm, stat, truncate } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { listCollections } from '../check/chroma-records.ts';
import type { FaultKind } from './fault.ts';

const done = 'done' as const;

/** One command without arguments, as people type it. */
function tellRedis(port: number, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(`${command}\r\n`));
    socket.setTimeout(10_000, () => socket.destroy(new Error(`Redis did not answer ${command}`)));
    socket.on('error', reject);
    socket.once('data', (answer) => {
      socket.destroy();
      if (answer.toString().startsWith('+OK')) resolve();
      else reject(new Error(`Redis answered ${command} with ${answer.toString().trim()}`));
    });
  });
}

/** Cuts the end of the log of writes, as a loss of power does to what was not yet synced. */
async function cutLog(dataDir: string, bytes: number): Promise<void> {
  const folder = join(dataDir, 'appendonlydir');
  const logs = (await readdir(folder)).filter((name) => name.endsWith('.incr.aof')).sort();
  const last = logs.at(-1);
  if (last === undefined) throw new Error(`there is no log of writes in ${folder}`);
  const path = join(folder, last);
  const { size } = await stat(path);
  await truncate(path, Math.max(0, size - bytes));
}

/** Faults after which something is gone that was answered. The blob store must bring it back. */
export const dataLossFaults = {
  'flush-redis': {
    track: 'dependency',
    weight: 1,
    loses: 'redis',
    repeatsBatch: true,
    plan: () => ({}),
    async inject(fleet) {
      await tellRedis(fleet.redis.port, 'FLUSHALL');
      return done;
    },
  },
  'cut-redis-log': {
    track: 'dependency',
    weight: 1,
    loses: 'redis',
    repeatsBatch: true,
    plan: (dice) => ({ bytes: dice.between(100, 100_000) }),
    async inject(fleet, details) {
      await fleet.redis.end('SIGKILL', 0, () => cutLog(fleet.redis.dataDir, Number(details.bytes)));
      return done;
    },
  },
  'wipe-chroma': {
    track: 'dependency',
    weight: 1,
    loses: 'chroma',
    plan: () => ({}),
    async inject(fleet) {
      await fleet.chroma.end('SIGKILL', 0, async () => {
        for (const name of await readdir(fleet.chroma.dataDir)) {
          await rm(join(fleet.chroma.dataDir, name), { recursive: true, force: true });
        }
      });
      return done;
    },
  },
  'delete-collection': {
    track: 'dependency',
    weight: 1,
    loses: 'chroma',
    plan: (dice) => ({ collection: dice.below(4) }),
    async inject(fleet, details) {
      const collections = (await listCollections(fleet.chroma.port)).sort((a, b) => (a.name < b.name ? -1 : 1));
      const chosen = collections[Number(details.collection) % Math.max(1, collections.length)];
      if (!chosen) return 'missed';
      const root = `http://127.0.0.1:${fleet.chroma.port}/api/v2/tenants/default_tenant/databases/default_database`;
      const response = await fetch(`${root}/collections/${chosen.name}`, { method: 'DELETE' });
      await response.arrayBuffer();
      return response.ok ? done : 'missed';
    },
  },
} as const satisfies Record<string, FaultKind>;
