import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { plainExtraction } from '@semantic-memory/shared/ingest/plain-text/plain-extraction';
import { serveJobs } from '../../child/serve-jobs.ts';
import type { FormatEntry, FormatParser } from '../format-parser.ts';
import { jobParser } from '../parse-job.ts';

const hoard: Buffer[] = [];

/** Does to its process what the document says. */
const misbehave: FormatParser = async (path, { mediaType }) => {
  const order = (await readFile(path, 'utf8')).trim();
  switch (order) {
    case 'loop':
      for (;;);
    case 'hoard':
      for (;;) {
        hoard.push(Buffer.alloc(4 * 2 ** 20, 1));
        await wait(1);
      }
    case 'crash':
      process.abort();
      break;
    case 'environment':
      return plainExtraction(mediaType, JSON.stringify(process.env));
    case 'network': {
      const response = await fetch('http://127.0.0.1:18998/').catch((error: Error) => error);
      return plainExtraction(mediaType, String((response as Error).cause ?? response));
    }
  }
  return plainExtraction(mediaType, order);
};

const entries: readonly FormatEntry[] = [
  { name: 'orders', mediaTypes: ['text/plain'], isolation: 'pooled', load: async () => misbehave },
  { name: 'orders apart', mediaTypes: ['text/markdown'], isolation: 'own', load: async () => misbehave },
];

serveJobs(jobParser(entries));
