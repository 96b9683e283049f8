import process from 'node:process';
import { parseArgs } from 'node:util';
import { ownToken } from './local/kept-secret.ts';
import { type OwnService, startOwnService } from './local/own-service.ts';
import { smoke } from './smoke/smoke.ts';

const usage = `Ingests a small library, searches it and asks, then sends an empty, an unsupported and a too large document.

node --conditions=development scripts/ingest-smoke.ts [options]

  --start              start a service of its own for it, and stop it at the end
  --url URL            the service; default SEMANTIC_MEMORY_URL, else http://127.0.0.1:8080
  --token JWT          default SEMANTIC_MEMORY_TOKEN, else made from JWT_SECRET or DATA_DIR/jwt-secret
  --sanity             only ingest, search and ask
  --max-file-bytes N   what the service accepts as one file; default 104857600
  --timeout-seconds N  for all of it; default 300

Exit status: 0 all is as it must be, 1 it is not.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      start: { type: 'boolean' },
      url: { type: 'string' },
      token: { type: 'string' },
      sanity: { type: 'boolean' },
      'max-file-bytes': { type: 'string', default: '104857600' },
      'timeout-seconds': { type: 'string', default: '300' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const [maxFileBytes, timeoutSeconds] = [Number(values['max-file-bytes']), Number(values['timeout-seconds'])];
  if (!(maxFileBytes > 0 && timeoutSeconds > 0)) throw new Error('--max-file-bytes and --timeout-seconds are numbers.');
  const own = values.start ? await startOwnService() : undefined;
  const service = own ?? {
    url: values.url ?? (process.env.SEMANTIC_MEMORY_URL || 'http://127.0.0.1:8080'),
    token: values.token ?? (process.env.SEMANTIC_MEMORY_TOKEN || (await ownToken(process.env))),
  };
  try {
    const checks = await smoke({
      ...service,
      namespace: `smoke-${Date.now()}`,
      tooLargeBytes: values.sanity ? undefined : maxFileBytes + 1,
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
      onCheck: ({ name, fault }) =>
        process.stdout.write(fault === undefined ? `ok: ${name}\n` : `FAULT: ${name}: ${fault}\n`),
    });
    return checks.every(({ fault }) => fault === undefined) && (await ended(own)) ? 0 : 1;
  } finally {
    await own?.stop();
  }
}

/** Ended in order, where it is ours. */
async function ended(own: OwnService | undefined): Promise<boolean> {
  const status = own ? await own.stop() : 0;
  if (status !== 0) process.stdout.write(`FAULT: stop: the service ended with status ${status}\n`);
  return status === 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`ingest-smoke: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
