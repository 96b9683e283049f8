import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { isolationReport } from '@semantic-memory/adapters/child/isolation';
import { descendants } from '../../service.ts';
import { freshTenant, secrets, type Target } from '../target.ts';

const page = fileURLToPath(new URL('../../../../../packages/adapters/testdata/ocr/page.png', import.meta.url));

/** All that a child is told of its surroundings. */
const allowedVariables = [
  ...['PATH', 'HOME', 'NODE_COMPILE_CACHE', 'UV_THREADPOOL_SIZE', 'OMP_THREAD_LIMIT', 'MALLOC_ARENA_MAX'],
  ...['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'],
];

/** Children that parse, read and embed what strangers sent: no secrets, no network, capped memory. */
export function childrenRow(target: () => Target): void {
  // Namespaces and /proc are Linux's.
  const onLinux = process.platform === 'linux' ? describe : describe.skip;

  interface Child {
    readonly pid: number;
    readonly command: string;
  }
  /** The processes that the processes of the service have started. */
  const children = async (): Promise<Child[]> =>
    (await descendants(target().pid)).filter(({ command }) => /\/packages\/adapters\/.*-child\.\w+/.test(command));
  const logOf = (tier: string) => readFile(join(target().dataDir, 'logs', `worker-${tier}.log`), 'utf8');
  const fileOf = ({ pid }: Child, name: string) => readFile(`/proc/${pid}/${name}`, 'utf8');

  onLinux('children', () => {
    let all: Child[];
    beforeAll(async () => {
      const tenant = freshTenant('children');
      const form = new FormData();
      form.append('file', new Blob([new Uint8Array(await readFile(page))]), 'page.png');
      expect((await target().ingested(tenant, form)).state).toBe('succeeded');
      all = await children();
    }, 120_000);

    test('what parses, reads and embeds a document is a process of its own', () => {
      for (const name of ['parse-child', 'ocr-child', 'embedding-child']) {
        expect([name, all.some(({ command }) => command.includes(name))]).toEqual([name, true]);
      }
    });

    test('a child has nothing of our environment, neither there nor on its command line', async () => {
      for (const child of all) {
        const variables = (await fileOf(child, 'environ')).split('\0').filter(Boolean);
        const foreign = variables
          .map((variable) => variable.split('=')[0] ?? '')
          .filter((name) => !allowedVariables.includes(name));
        expect([child.command, foreign]).toEqual([child.command, []]);
        for (const secret of Object.values(secrets)) {
          expect(variables.join('\n') + child.command).not.toContain(secret);
        }
      }
    });

    test('a child has no network: no interface but its own loopback, and no way anywhere', async () => {
      // Some container hosts forbid it: the worker then says so when it starts.
      if (!(await isolationReport()).network) return expect(await logOf('parse')).toContain('unshare -n');
      for (const child of all) {
        expect(await readlink(`/proc/${child.pid}/ns/net`)).not.toBe(await readlink('/proc/self/ns/net'));
        const interfaces = (await fileOf(child, 'net/dev'))
          .split('\n')
          .slice(2)
          .map((line) => line.split(':')[0]?.trim());
        expect(interfaces.filter(Boolean)).toEqual(['lo']);
        expect((await fileOf(child, 'net/route')).trim().split('\n')).toHaveLength(1);
      }
    });

    test('a child that reads what strangers sent has a limit of memory, and leaves no memory behind when it falls', async () => {
      const readers = all.filter(({ command }) => /parse-child|ocr-child/.test(command));
      expect(readers.length).toBeGreaterThan(1);
      for (const child of readers) {
        const limits = await fileOf(child, 'limits');
        if (!(await isolationReport()).memoryLimit) return expect(await logOf('parse')).toContain('prlimit');
        const [, dataBytes] = /^Max data size +(\S+)/m.exec(limits) ?? [];
        expect(Number(dataBytes)).toBeLessThanOrEqual(4 * 2 ** 30);
        expect(/^Max core file size +(\S+)/m.exec(limits)?.[1]).toBe('0');
        expect(child.command).toMatch(/--max-old-space-size=\d+/);
      }
    });

    test('a child has open what it works with, and no connection of ours', async () => {
      for (const child of all) {
        const folder = `/proc/${child.pid}/fd`;
        const names = await readdir(folder);
        const targets = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
        const sockets = targets.filter((file) => file.startsWith('socket:'));
        // Its channel to whoever started it, and standard error, which Node makes a pair of sockets.
        expect([child.command, sockets.length <= 3]).toEqual([child.command, true]);
        expect(targets.filter((file) => file.includes('/blobs/'))).toEqual([]);
      }
    });
  });
}
