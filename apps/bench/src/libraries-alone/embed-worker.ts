import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from '@semantic-memory/adapters/onnx/embedder';
import { modelFile, readModelCard } from '@semantic-memory/adapters/onnx/model-card';
import { loadModelSession } from '@semantic-memory/adapters/onnx/model-session';
import { createTokenizer } from '@semantic-memory/adapters/onnx/tokenizer';
import { Worker } from 'bullmq';
import { ChromaClient } from 'chromadb';

/** Embeds texts in its own process and adds them to Chroma by sixteen. Arguments: folder, Redis, queue, Chroma's port. */
const [folder, redisUrl, queueName, chromaPort] = process.argv.slice(2) as [string, string, string, string];
const groupSize = 16;
const waitMs = 100;

const session = await loadModelSession(modelFile('model.onnx'));
const tokenizer = createTokenizer();
const card = readModelCard();
const chroma = new ChromaClient({ host: '127.0.0.1', port: Number(chromaPort), ssl: false });
const collection = await chroma.getOrCreateCollection({ name: queueName, embeddingFunction: null });

interface Waiting {
  readonly id: string;
  readonly text: string;
  readonly vector: Float32Array;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}
let group: Waiting[] = [];
let timer: NodeJS.Timeout | undefined;

function write(): void {
  clearTimeout(timer);
  timer = undefined;
  const written = group;
  group = [];
  collection
    .add({
      ids: written.map(({ id }) => id),
      documents: written.map(({ text }) => text),
      embeddings: written.map(({ vector }) => Array.from(vector)),
    })
    .then(
      () => written.forEach(({ done }) => void done()),
      (error: unknown) => written.forEach(({ failed }) => void failed(error)),
    );
}

const worker = new Worker(
  queueName,
  async (job) => {
    const { id } = job.data as { id: string };
    const text = await readFile(join(folder, id), 'utf8');
    const vector = await session.embed(encode(tokenizer, card, text).tokenIds);
    const file = await open(join(folder, `${id}.vector`), 'w');
    await file.writeFile(new Uint8Array(vector.buffer));
    await file.datasync();
    await file.close();
    await new Promise<void>((done, failed) => {
      group.push({ id, text, vector, done, failed });
      if (group.length >= groupSize) write();
      else timer ??= setTimeout(write, waitMs);
    });
  },
  { connection: { url: redisUrl }, concurrency: 2 * groupSize },
);
await worker.waitUntilReady();
process.send?.('ready');
