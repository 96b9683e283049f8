#!/usr/bin/env node
import process from 'node:process';
import { runCli } from './program.ts';

const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // `semantic-memory documents | head` closes the pipe early, which is no fault.
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  terminal: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  columns: process.stdout.columns ?? 80,
  env: process.env,
  signal: interrupt.signal,
  ...(process.stderr.isTTY ? { progressStream: process.stderr } : {}),
});
