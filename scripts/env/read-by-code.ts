import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** A file of the repository: its path from the root, with slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const scanned = ['apps', 'packages', 'scripts', '.ci', 'docker-compose.yml'];
const left = new Set(['node_modules', 'dist', 'testdata', 'evaluation-sets', 'alternative', 'testing']);
const isCode = (path: string) =>
  (/\.(ts|mjs|sh|yml)$/.test(path) || !/\.\w+$/.test(path)) && !/\.test\.ts$|\/LICENSE$/.test(path);

/** Everything of the repository that may read a variable when it is run by a user: no tests, nothing compiled. */
export async function sourceFiles(root: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const visit = async (path: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR') return undefined;
      throw error;
    });
    if (entries === undefined) {
      const name = relative(root, path).replaceAll('\\', '/');
      if (isCode(name)) files.push({ path: name, text: await readFile(path, 'utf8') });
      return;
    }
    for (const entry of entries) {
      if (!left.has(entry.name) && !entry.isSymbolicLink()) await visit(join(path, entry.name));
    }
  };
  for (const path of scanned) await visit(join(root, path));
  return files;
}

const name = '[A-Z][A-Z0-9_]+';
const inTypeScript = [`\\benv\\.(${name})\\b`, `\\benv(?:\\[|, )['"](${name})['"]`].map(
  (text) => new RegExp(text, 'g'),
);
const destructured = /\{([^{}]*)\}\s*=\s*(?:process\.|io\.)?env\b/g;
/** With a default or a complaint, as in ${NAME:-x} and ${NAME:?x}: what a script sets itself needs neither. */
const inShell = new RegExp(`\\$\\{(${name}):?[-?]`, 'g');

/** Which variables of the environment the files read, each with the first file that does. */
export function variablesReadBy(files: readonly SourceFile[]): Map<string, string> {
  const read = new Map<string, string>();
  for (const { path, text } of files) {
    const add = (variable: string | undefined) => {
      if (variable && !read.has(variable)) read.set(variable, path);
    };
    if (/\.(ts|mjs)$/.test(path)) {
      for (const pattern of inTypeScript) for (const [, variable] of text.matchAll(pattern)) add(variable);
      for (const [, inside = ''] of text.matchAll(destructured)) {
        for (const part of inside.split(',')) add(new RegExp(`^\\s*(${name})\\b`).exec(part)?.[1]);
      }
    } else {
      for (const [, variable] of text.matchAll(inShell)) add(variable);
    }
  }
  return read;
}
