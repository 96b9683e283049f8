import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { env } from '@huggingface/transformers';
import { TextLoader } from '@langchain/classic/document_loaders/fs/text';
import { DocxLoader } from '@langchain/community/document_loaders/fs/docx';
import { PDFLoader } from '@langchain/community/document_loaders/fs/pdf';
import { CheerioWebBaseLoader } from '@langchain/community/document_loaders/web/cheerio';
import { HuggingFaceTransformersEmbeddings } from '@langchain/community/embeddings/huggingface_transformers';
import { Chroma } from '@langchain/community/vectorstores/chroma';
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters';

/**
 * What one writes with LangChain.js after reading its pages on loaders, splitters and Chroma: one file after the other,
 * every option at its default except the model's place. Prints one JSON line after each phase.
 */
const { values: options } = parseArgs({
  options: {
    /** Folder of the files. */
    files: { type: 'string', default: '' },
    /** JSON file, an array of questions. */
    queries: { type: 'string', default: '' },
    /** Folder of the model in the layout of transformers.js. */
    model: { type: 'string', default: '' },
    port: { type: 'string', default: '8000' },
    /** Texts embedded together; the class's own default is 512. */
    batch: { type: 'string' },
  },
});

env.allowRemoteModels = false;
env.localModelPath = join(options.model, '..');
const embeddings = new HuggingFaceTransformersEmbeddings({
  model: basename(options.model),
  pretrainedOptions: { dtype: 'q8' },
});
// Its constructor ignores the option of this name.
if (options.batch !== undefined) embeddings.batchSize = Number(options.batch);
const splitter = new RecursiveCharacterTextSplitter();
const store = new Chroma(embeddings, {
  collectionName: 'files',
  clientParams: { host: '127.0.0.1', port: Number(options.port) },
});

/** The loader for a file's name; Markdown is read as text, and HTML by the loader for web pages from an address in memory. */
function loaderOf(name, blob) {
  switch (extname(name)) {
    case '.pdf':
      return new PDFLoader(blob);
    case '.docx':
      return new DocxLoader(blob);
    case '.html':
      return new CheerioWebBaseLoader(URL.createObjectURL(blob));
    default:
      return new TextLoader(blob);
  }
}

/** The chunks of a file. Chroma takes flat metadata only, so the PDF loader's nested ones are left out. */
async function chunksOf(name, blob) {
  const chunks = await splitter.splitDocuments(await loaderOf(name, blob).load());
  for (const chunk of chunks) chunk.metadata = { source: name, page: chunk.metadata.loc?.pageNumber ?? 1 };
  return chunks;
}

const say = (phase, result) => console.log(JSON.stringify({ phase, ...result }));

const names = (await readdir(options.files)).sort();
const blobs = new Map();
for (const name of names) blobs.set(name, new Blob([await readFile(join(options.files, name))]));
// The model is loaded and the collection made before the clock starts, as with a service that has started.
await embeddings.embedQuery('warm');
await store.ensureCollection();
say('ready', { files: names.length, cores: availableParallelism() });

const startedAt = performance.now();
const withoutText = [];
const failed = [];
let chunkCount = 0;
let loadMs = 0;
for (const [name, blob] of blobs) {
  try {
    const loadedAt = performance.now();
    const chunks = await chunksOf(name, blob);
    loadMs += performance.now() - loadedAt;
    if (chunks.length === 0) withoutText.push(name);
    chunkCount += chunks.length;
    await store.addDocuments(chunks);
  } catch (error) {
    failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
const seconds = (performance.now() - startedAt) / 1000;
say('ingested', { seconds, loadSeconds: loadMs / 1000, files: names.length, chunks: chunkCount, withoutText, failed });

const searchMs = [];
for (const query of JSON.parse(await readFile(options.queries, 'utf8'))) {
  const askedAt = performance.now();
  await store.similaritySearch(query);
  searchMs.push(performance.now() - askedAt);
}
say('searched', { searchMs, stored: await store.collection.count() });
