import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findChroma } from '../../../scripts/local/chroma-binary.ts';
import { chromaProgram } from '../../../scripts/local/chroma-server.ts';
import { freePort } from '../../../scripts/local/free-port.ts';
import { startProgram } from '../../../scripts/local/start-program.ts';
import { watchProcesses } from '../src/process-watch.ts';
import { filesOf } from '../src/scenarios/files.ts';
import { quantile, rounded } from '../src/statistics.ts';

/**
 * Runs `ingest.mjs` over the files of the scenario `files`, with a Chroma of its own, and counts memory as that scenario
 * does. BENCH_DATA names the folder; arguments go to `ingest.mjs`.
 */
const dataDir = process.env.BENCH_DATA;
if (dataDir === undefined) throw new Error('BENCH_DATA names no folder');
const model = new URL('../../../packages/model-bge-small-en-v1.5-int8/', import.meta.url);
const temporary = await mkdtemp(join(tmpdir(), 'bench-alternative-'));
const loadBefore = loadavg();
try {
  const files = join(temporary, 'files');
  await mkdir(files);
  for (const { name, bytes } of await filesOf(dataDir))
    await writeFile(join(files, basename(name)), bytes, { flag: 'wx' });
  const queries = join(temporary, 'queries.json');
  await writeFile(queries, JSON.stringify(await questions(200)));

  const port = await freePort();
  const chroma = await startProgram(await chromaProgram(await findChroma(), join(temporary, 'chroma'), port));
  try {
    const options = { files, queries, model: await modelFolder(), port: String(port) };
    const report = await ingest(chroma.pid, options, process.argv.slice(2));
    console.log(JSON.stringify({ arguments: process.argv.slice(2), loadBefore, ...report }, null, 2));
  } finally {
    await chroma.stop();
  }
} finally {
  await rm(temporary, { recursive: true, force: true });
}

/** The first questions of the abstracts' own test collection. */
async function questions(count) {
  const lines = (await readFile(join(dataDir, 'retrieval/cranfield/queries.jsonl'), 'utf8')).trim().split('\n');
  return lines.slice(0, count).map((line) => JSON.parse(line).text);
}

/** The repository's model in the layout of transformers.js, with the two descriptions that only that library reads. */
async function modelFolder() {
  const folder = join(temporary, 'bge-small-en-v1.5');
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await copyFile(new URL('model.onnx', model), join(folder, 'onnx/model_quantized.onnx'));
  await copyFile(new URL('tokenizer.json', model), join(folder, 'tokenizer.json'));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'bert', architectures: ['BertModel'] }));
  const tokenizer = { tokenizer_class: 'BertTokenizer', model_max_length: 512, pad_token: '[PAD]' };
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(tokenizer));
  return folder;
}

/** Runs the script and watches it and Chroma from its start until everything is ingested. */
async function ingest(chromaPid, options, more) {
  const script = fileURLToPath(new URL('ingest.mjs', import.meta.url));
  const child = spawn(
    process.execPath,
    [script, ...Object.entries(options).map(([name, value]) => `--${name}=${value}`), ...more],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const watch = watchProcesses(child.pid, { [chromaPid]: 'chroma' });
  const report = {};
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{"phase":')) continue;
    const { phase, ...result } = JSON.parse(line);
    report[phase] = result;
    if (phase === 'ingested') report.use = await watch.stop();
  }
  const status = await ended;
  if (!report.searched) throw new Error(`ingest.mjs ended with status ${status} before it was done`);
  const { searchMs, stored } = report.searched;
  const { seconds, files, chunks, ...ingested } = report.ingested;
  return {
    seconds: rounded(seconds),
    files,
    chunks,
    stored,
    filesPerSecond: rounded(files / seconds),
    chunksPerSecond: rounded(chunks / seconds),
    ...ingested,
    search: {
      count: searchMs.length,
      p50Ms: rounded(quantile(searchMs, 0.5)),
      p95Ms: rounded(quantile(searchMs, 0.95)),
    },
    use: report.use,
  };
}
