import { join } from 'node:path';
import { freePort } from '@semantic-memory/runtime/free-port';
import { findChroma } from './local/chroma-binary.ts';
import { chromaProgram } from './local/chroma-server.ts';
import type { Program } from './local/program.ts';
import { findRedis } from './local/redis-binary.ts';
import { redisProgram } from './local/redis-server.ts';

/**
 * Prints, as one line of JSON, how a Redis and a Chroma of a test's own are started below the folder that is named, on
 * free ports. The test starts, kills, freezes and stops them itself.
 */
const [folder = '.'] = process.argv.slice(2);
const [redisPort, chromaPort] = [await freePort(), await freePort()];
const server = ({ command, args, env = {} }: Program, port: number) => ({ command, args, env, port });
const commands = {
  redis: server(await redisProgram(await findRedis(console.error), join(folder, 'redis'), redisPort), redisPort),
  chroma: server(await chromaProgram(await findChroma(console.error), join(folder, 'chroma'), chromaPort), chromaPort),
};
console.log(JSON.stringify(commands));
