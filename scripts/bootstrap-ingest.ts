import process from 'node:process';
import { parseArgs } from 'node:util';
import { bootstrap, defaultSlowSeconds } from './bootstrap/bootstrap.ts';
import { progressLine } from './bootstrap/progress-line.ts';
import { renderReport } from './bootstrap/render-report.ts';
import { ownToken } from './local/kept-secret.ts';

const usage = `Ingests a library through the API and checks that everything came out as it must.

node --conditions=development scripts/bootstrap-ingest.ts [options]

  --source PATH_OR_URL   a file, folder, web address or git repository (….git); default: the sample library.
                         expected.json in or beside the folder says how each document must end and what must be found
  --url URL              the service; default SEMANTIC_MEMORY_URL, else http://127.0.0.1:8080
  --token JWT            default SEMANTIC_MEMORY_TOKEN, else made from JWT_SECRET or DATA_DIR/jwt-secret
  --namespace NAME       default "default"
  --slow-seconds N       list documents that take longer, with the time of each stage; default ${defaultSlowSeconds}
  --log FILE             JSON lines; default DATA_DIR/bootstrap/TIME.jsonl
  --json                 print the report as JSON
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      source: { type: 'string' },
      url: { type: 'string' },
      token: { type: 'string' },
      namespace: { type: 'string' },
      'slow-seconds': { type: 'string' },
      log: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const slowSeconds = Number(values['slow-seconds'] ?? defaultSlowSeconds);
  if (!(slowSeconds > 0)) throw new Error('--slow-seconds must be a number above 0.');
  const dataDir = process.env.DATA_DIR ?? '.data';
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort(new Error('Stopped. What was accepted goes on in the service.')));
  const line = progressLine(process.stderr);
  const report = await bootstrap({
    url: values.url ?? process.env.SEMANTIC_MEMORY_URL ?? 'http://127.0.0.1:8080',
    token: values.token ?? process.env.SEMANTIC_MEMORY_TOKEN ?? (await ownToken(process.env)),
    source: values.source,
    namespace: values.namespace,
    slowSeconds,
    logPath: values.log,
    dataDir,
    onProgress: line.show,
    signal: interrupt.signal,
  }).finally(line.clear);
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report));
  return report.ok ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
