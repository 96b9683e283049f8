import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from './local/program.ts';
import { findS3Server, s3Program } from './local/s3-server.ts';
import { type RunningProgram, startProgram } from './local/start-program.ts';

/**
 * An S3 server for tests, empty, on a free port of 127.0.0.1. Prints where it answers as one line of JSON and runs until
 * its standard input ends. Where it cannot be had it says why and ends with status 3.
 */
const maxStarts = 3;

async function start(dataDir: string): Promise<{ server: RunningProgram; address: unknown }> {
  const weed = await findS3Server(console.error);
  for (let starts = 1; ; starts += 1) {
    const { program, address } = await s3Program(weed, join(dataDir, String(starts)));
    try {
      return { server: await startProgram(program), address };
    } catch (error) {
      // Another process took one of its ports between the question and the start.
      if (!(error instanceof StartError && error.reason === 'port_taken') || starts === maxStarts) throw error;
    }
  }
}

const dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-s3-'));
try {
  const { server, address } = await start(dataDir);
  console.log(JSON.stringify(address));
  await new Promise((resolve) => process.stdin.resume().once('end', resolve).once('close', resolve));
  // Its data goes too, so there is nothing to end in order.
  await server.stop(0);
} catch (error) {
  const missing = error instanceof StartError && error.reason === 'cannot_be_had';
  console.error(missing ? error.message : error);
  process.exitCode = missing ? 3 : 1;
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
