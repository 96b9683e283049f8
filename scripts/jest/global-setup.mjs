import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@semantic-memory/runtime/free-port';
import { findChroma } from '../local/chroma-binary.ts';
import { chromaProgram } from '../local/chroma-server.ts';
import { findRedis } from '../local/redis-binary.ts';
import { redisProgram } from '../local/redis-server.ts';
import { startProgram } from '../local/start-program.ts';

/**
 * One real Redis and one real Chroma for the whole run, on free ports and in a folder of their own. Tests find them by
 * TEST_REDIS_URL, TEST_CHROMA_HOST and TEST_CHROMA_PORT; where these are set already, those servers are used. They
 * end with jest, however it ends.
 */
export default async function startServers() {
  const running = [];
  const dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-test-'));
  globalThis.stopTestServers = async () => {
    await Promise.all(running.map((program) => program.stop(2_000)));
    await rm(dataDir, { recursive: true, force: true });
  };
  const start = async (program) => running.push(await startProgram(program));
  try {
    await Promise.all([
      process.env.TEST_REDIS_URL === undefined && startRedis(start, join(dataDir, 'redis')),
      process.env.TEST_CHROMA_HOST === undefined && startChroma(start, join(dataDir, 'chroma')),
    ]);
  } catch (error) {
    await globalThis.stopTestServers();
    throw error;
  }
}

async function startRedis(start, dataDir) {
  const port = await freePort();
  await start(await redisProgram(await findRedis(console.error), dataDir, port));
  process.env.TEST_REDIS_URL = `redis://127.0.0.1:${port}`;
}

async function startChroma(start, dataDir) {
  const port = await freePort();
  await start(await chromaProgram(await findChroma(console.error), dataDir, port));
  process.env.TEST_CHROMA_HOST = '127.0.0.1';
  process.env.TEST_CHROMA_PORT = String(port);
}
