import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { freePort } from '@semantic-memory/runtime/free-port';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** Runs `make up`'s program to its end: for starts that fail. */
async function up(env: Record<string, string>): Promise<{ status: number | null; output: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-up-'));
  const child = spawn(process.execPath, ['--conditions=development', 'scripts/up.ts'], {
    cwd: repository,
    env: { ...process.env, DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const [status] = (await once(child, 'close')) as [number | null];
  await rm(dataDir, { recursive: true, force: true });
  return { status, output };
}

test('a taken port ends the start with status 1 and a sentence', async () => {
  const other = createServer().listen(0, '0.0.0.0');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const { status, output } = await up({ PORT: String(port), METRICS_PORT: String(await freePort()) });
  other.close();
  expect(status).toBe(1);
  expect(output.trim()).toMatch(new RegExp(`^PORT ${port} is taken by another program\\. Choose others`));
});

test('a host or a folder that cannot be used ends it so too', async () => {
  const ports = { PORT: String(await freePort()), METRICS_PORT: String(await freePort()) };
  // An address of documentation: no machine has it (RFC 5737).
  const host = await up({ ...ports, HOST: '192.0.2.1' });
  expect(host.status).toBe(1);
  expect(host.output).toMatch(
    new RegExp(`^PORT ${ports.PORT} of HOST 192\\.0\\.2\\.1 cannot be listened on: EADDRNOTAVAIL\\.`),
  );
  const folder = await up({ ...ports, DATA_DIR: join(repository, 'Makefile', 'data') });
  expect(folder.status).toBe(1);
  expect(folder.output).toMatch(/^DATA_DIR .* cannot be used: ENOTDIR.*\.\n$/);
});

test('all faults of the configuration come in one message', async () => {
  const { status, output } = await up({ PORT: 'http', JWT_SECRET: 'short', LOG_LEVEL: 'loud' });
  expect(status).toBe(1);
  for (const name of ['PORT', 'JWT_SECRET', 'LOG_LEVEL']) expect(output).toContain(`- ${name} `);
  expect(output).not.toContain('short');
});
