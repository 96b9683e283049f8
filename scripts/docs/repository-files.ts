import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The folder of the repository, with a slash at its end. */
export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** The files of the repository, also those that are not committed yet, by their paths from its root. */
export const repositoryFiles = (): string[] =>
  String(execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: repository }))
    .split('\n')
    .filter((file) => file !== '');

/** Those in Markdown that we have written: neither samples nor sets to evaluate with. */
export const documents = (): string[] =>
  repositoryFiles().filter((file) => file.endsWith('.md') && !/^(?:memory|apps\/bench\/evaluation-sets)\//.test(file));
