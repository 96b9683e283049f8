import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../../docs/snippets/', import.meta.url));

export const languages = ['TypeScript', 'Python'] as const;

/** The files of a snippet in both languages, below docs/snippets. */
const files = {
  token: { TypeScript: 'typescript/token.ts', Python: 'python/make_token.py' },
  'bulk-ingest': { TypeScript: 'typescript/bulk-ingest.ts', Python: 'python/bulk_ingest.py' },
  'batched-search': { TypeScript: 'typescript/batched-search.ts', Python: 'python/batched_search.py' },
  'streaming-rag': { TypeScript: 'typescript/streaming-rag.ts', Python: 'python/streaming_rag.py' },
} as const;

/** How a snippet ended, and what it said. */
export interface SnippetRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a snippet as a reader would. */
export function runSnippet(
  language: (typeof languages)[number],
  name: keyof typeof files,
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  input = '',
): Promise<SnippetRun> {
  const command = language === 'Python' ? 'python3' : process.execPath;
  const env = { ...process.env, NODE_OPTIONS: '', PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1', ...variables };
  return new Promise((resolve) => {
    const child = execFile(
      command,
      [`${folder}${files[name][language]}`, ...args],
      { env, timeout: 180_000 },
      (error, stdout, stderr) => resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}
