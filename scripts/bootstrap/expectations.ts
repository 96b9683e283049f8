import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How a document of a library must come out. */
export interface ExpectedDocument {
  /** Its path below the folder. */
  file: string;
  state: 'succeeded' | 'partial' | 'failed';
  /** Of the error that it must end with. */
  code?: string;
  pages?: number;
  /** What stands on its pictures: its text must be this, but for a few characters and white space. */
  groundTruth?: string;
}

export interface ExpectedQuery {
  query: string;
  kind: 'keyword' | 'paraphrase';
  /** Files that must be among the first three hits. */
  documents: string[];
}

export interface Expectations {
  documents: ExpectedDocument[];
  queries: ExpectedQuery[];
}

export const sampleLibrary = fileURLToPath(new URL('../../memory/data-repo/sample-docs', import.meta.url));

/**
 * `expected.json` in the folder or beside it; undefined where there is none, and for a single file: then every
 * document must succeed.
 *
 * @throws Error where the file is there and does not say what it must.
 */
export async function readExpectations(source: string): Promise<Expectations | undefined> {
  if (!(await stat(source)).isDirectory()) return undefined;
  for (const path of [join(source, 'expected.json'), join(dirname(join(source, '.')), 'expected.json')]) {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) continue;
    const value = JSON.parse(text) as Partial<Expectations>;
    const documents =
      Array.isArray(value.documents) && value.documents.every((document) => document.file && document.state);
    const queries =
      Array.isArray(value.queries) && value.queries.every((query) => query.query && query.documents.length);
    if (!documents || !queries) throw new Error(`${path} must hold "documents" with file and state, and "queries".`);
    return value as Expectations;
  }
  return undefined;
}
