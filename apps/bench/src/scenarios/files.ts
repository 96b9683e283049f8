import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Service } from '@semantic-memory/e2e/service';
import { ingestAll } from '../ingest-all.ts';
import { watchProcesses } from '../process-watch.ts';
import { rounded } from '../statistics.ts';

/** The types of the manifest that the service reads. */
const readTypes = ['pdf', 'docx', 'html', 'md', 'txt'];

/** Three whole books are as long as all other files together: they would measure the model, not the service. */
const books = ['un_book-war-and-peace-1225p.txt', 'un_handbook-872p.docx', 'gen_manypages.pdf'];

/**
 * Files of many kinds: 500 abstracts as text files and the documents of a folder. Both come from outside the repository,
 * since they may not be republished.
 * @param dataDir holds `retrieval/cranfield/corpus.jsonl` and `documents/manifest.jsonl`
 */
export async function measureFiles(service: Service, dataDir: string) {
  const namespace = 'files';
  const files = await filesOf(dataDir);
  const watch = watchProcesses(service.pid);
  const run = await ingestAll(
    service,
    namespace,
    files.map(
      ({ name, bytes }) =>
        () =>
          service.client.ingestFile({ blob: new Blob([bytes]), filename: name }, { namespace }),
    ),
  );
  const use = await watch.stop();
  return {
    ...run,
    filesPerSecond: rounded(run.documents / run.seconds),
    chunksPerSecond: rounded(run.chunks / run.seconds),
    use,
  };
}

interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The files of this scenario in the order in which they are posted. @param dataDir as of `measureFiles` */
export async function filesOf(dataDir: string): Promise<NamedBytes[]> {
  return [...(await abstracts(dataDir, 500)), ...(await documents(dataDir))];
}

async function abstracts(dataDir: string, count: number): Promise<NamedBytes[]> {
  const lines = (await readFile(join(dataDir, 'retrieval/cranfield/corpus.jsonl'), 'utf8')).trim().split('\n');
  return lines.slice(0, count).map((line) => {
    const { _id, title, text } = JSON.parse(line) as { _id: string; title: string; text: string };
    return { name: `${_id}.txt`, bytes: new TextEncoder().encode(`${title}\n\n${text}`) };
  });
}

async function documents(dataDir: string): Promise<NamedBytes[]> {
  const folder = join(dataDir, 'documents');
  const present = new Set(await readdir(folder, { recursive: true }));
  const entries = (await readFile(join(folder, 'manifest.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { file: string; type: string; expected: string });
  const wanted = entries
    .filter(
      (entry) => entry.expected === 'ok' && readTypes.includes(entry.type) && !books.includes(basename(entry.file)),
    )
    .map((entry) => entry.file)
    .filter((name) => present.has(name));
  return Promise.all(wanted.map(async (name) => ({ name, bytes: new Uint8Array(await readFile(join(folder, name))) })));
}
