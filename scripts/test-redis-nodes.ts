import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@semantic-memory/runtime/free-port';
import { StartError } from './local/program.ts';
import { findRedis } from './local/redis-binary.ts';
import { redisProgram } from './local/redis-server.ts';
import { type RunningProgram, startProgram } from './local/start-program.ts';

/**
 * As many nodes of Redis as are asked for, ready to be made a cluster by a test, on free ports of 127.0.0.1. Prints ports
 * and processes as one line of JSON and runs until its standard input ends. Where they cannot be had it says why and ends
 * with status 3.
 */
const count = Number(process.argv[2]);
/** A node that is silent for so long is taken for dead, and its replica takes over. */
const nodeTimeoutMs = 1_000;

const dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-cluster-'));
const servers: RunningProgram[] = [];
try {
  const source = await findRedis(console.error);
  if (source.kind !== 'binary') {
    throw new StartError('cannot_be_had', 'A cluster needs a Redis that is installed on this machine.');
  }
  const nodes: { port: number; busPort: number; pid: number }[] = [];
  for (let at = 0; at < count; at += 1) {
    const [port, busPort] = [await freePort(), await freePort()];
    const program = await redisProgram(source, join(dataDir, String(at)), port, {
      'cluster-enabled': 'yes',
      'cluster-port': String(busPort),
      'cluster-node-timeout': String(nodeTimeoutMs),
    });
    const server = await startProgram(program);
    servers.push(server);
    nodes.push({ port, busPort, pid: server.pid });
  }
  console.log(JSON.stringify(nodes));
  await new Promise((resolve) => process.stdin.resume().once('end', resolve).once('close', resolve));
} catch (error) {
  const missing = error instanceof StartError && error.reason === 'cannot_be_had';
  console.error(missing ? error.message : error);
  process.exitCode = missing ? 3 : 1;
} finally {
  // Their data goes too, so there is nothing to end in order.
  await Promise.all(servers.map((server) => server.stop(0)));
  await rm(dataDir, { recursive: true, force: true });
}
