import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@semantic-memory/runtime/free-port';
import { findChroma } from './local/chroma-binary.ts';
import { chromaProgram } from './local/chroma-server.ts';
import { compile } from './local/compile.ts';
import type { Program } from './local/program.ts';
import { findRedis } from './local/redis-binary.ts';
import { redisProgram } from './local/redis-server.ts';

/**
 * `make chaos SEED=n MINUTES=m`: the whole service several-fold on this machine, broken in every way that the seed
 * says, then checked. Ends with a verdict; exit status 0 where every promise held.
 * Environment: SEED (a whole number; made up where absent), MINUTES (of faults; default 2), CHAOS_RATE (operations a
 * second; default 4), CHAOS_KINDS (list with commas of kinds of fault; all unless given), CHAOS_SETTLE_SECONDS (how long
 * all may take to end after the last fault; default 300), CHAOS_DIR (folder of data, logs and history; default
 * `.data/chaos`, emptied first).
 */
const seed = Number(process.env.SEED || Math.floor(Math.random() * 1_000_000));
const minutes = Number(process.env.MINUTES || 2);
const perSecond = Number(process.env.CHAOS_RATE || 4);
const settleMs = Math.round(Number(process.env.CHAOS_SETTLE_SECONDS || 300) * 1000);
const kinds = process.env.CHAOS_KINDS?.split(',').filter(Boolean);
const folder = resolve(process.env.CHAOS_DIR || '.data/chaos');

const repository = fileURLToPath(new URL('../', import.meta.url));
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
await compile();
const [redisSource, chromaSource] = await Promise.all([findRedis(console.error), findChroma(console.error)]);
if (redisSource.kind === 'docker' || chromaSource.kind === 'docker') {
  throw new Error(
    'Redis and Chroma must run as processes of this machine, to be killed and frozen; found Docker only.',
  );
}
const [redisPort, chromaPort] = [await freePort(), await freePort()];
const [redisDir, chromaDir] = [join(folder, 'redis'), join(folder, 'chroma')];
const server = ({ command, args, env }: Program, port: number, dataDir: string) => ({
  command,
  args,
  env,
  port,
  dataDir,
});
const settings = {
  seed,
  minutes,
  perSecond,
  settleMs,
  kinds,
  folder,
  redis: server(await redisProgram(redisSource, redisDir, redisPort), redisPort, redisDir),
  chroma: server(await chromaProgram(chromaSource, chromaDir, chromaPort), chromaPort, chromaDir),
};

const run = spawn(process.execPath, ['--conditions=development', 'apps/e2e/src/chaos/main.ts'], {
  cwd: repository,
  env: { ...process.env, CHAOS_SETTINGS: JSON.stringify(settings) },
  stdio: 'inherit',
});
// It ends, and its processes with it; then we do.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => run.kill(signal));
run.once('exit', (status) => process.exit(status ?? 1));
