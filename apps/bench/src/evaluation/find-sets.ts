import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

export type SetKind = 'retrieval' | 'chunking' | 'ocr';

export interface EvaluationSet {
  readonly name: string;
  readonly folder: string;
  readonly kind: SetKind;
}

const maxDepth = 3;
/** The name of a language alone says nothing: such a folder is called after the one above it too. */
const languageName = /^[a-z]{2,3}$/;

/**
 * The sets in these folders and below them, told by what they hold: `corpus.jsonl` for retrieval, `corpora/` for
 * chunking, `gt/` for OCR.
 * @throws Error where a folder holds none, or two sets have one name
 */
export async function findSets(folders: readonly string[]): Promise<EvaluationSet[]> {
  const found: EvaluationSet[] = [];
  for (const folder of folders) {
    const below = await setsBelow(resolve(folder), maxDepth);
    if (below.length === 0) throw new Error(`${folder} holds no evaluation set`);
    found.push(...below);
  }
  for (const [index, { name, folder }] of found.entries()) {
    const other = found.slice(0, index).find((set) => set.name === name);
    if (other) throw new Error(`two sets are called ${name}: ${other.folder} and ${folder}`);
  }
  return found;
}

async function setsBelow(folder: string, depth: number): Promise<EvaluationSet[]> {
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) throw new Error(`${folder} is no folder`);
  const entries = await readdir(folder, { withFileTypes: true });
  const names = new Set(entries.map((entry) => entry.name));
  const kind = kindOf(names);
  if (kind) return [{ name: nameOf(folder), folder, kind }];
  if (depth === 0) return [];
  const found: EvaluationSet[] = [];
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  for (const name of folders.sort()) found.push(...(await setsBelow(join(folder, name), depth - 1)));
  return found;
}

function kindOf(names: ReadonlySet<string>): SetKind | undefined {
  if (names.has('corpus.jsonl')) return 'retrieval';
  if (names.has('corpora') && names.has('questions.jsonl')) return 'chunking';
  return names.has('gt') && names.has('manifest.jsonl') ? 'ocr' : undefined;
}

function nameOf(folder: string): string {
  const name = basename(folder);
  const whole = languageName.test(name) ? `${basename(dirname(folder))}-${name}` : name;
  return whole.replace(/[^A-Za-z0-9._-]/g, '-');
}
