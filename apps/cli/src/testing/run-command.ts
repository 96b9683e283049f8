import type { FakeService } from '@semantic-memory/client/testing/fake-service';
import type { Io } from '../io.ts';
import { runCli } from '../program.ts';

/** Runs a command line against the fake service and captures what it prints. */
export async function runCommand(service: FakeService, args: readonly string[], io: Partial<Io> = {}) {
  let out = '';
  let err = '';
  const status = await runCli(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    terminal: false,
    columns: 80,
    env: { SEMANTIC_MEMORY_URL: service.url, SEMANTIC_MEMORY_TOKEN: 'token' },
    signal: new AbortController().signal,
    ...io,
  });
  return { status, out, err };
}
