import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export interface CommandResult {
  ok: boolean;
  /** stdout and stderr together, for a message. */
  output: string;
}

/** Runs a command to its end without a terminal: nothing may ask a question. A missing command is `ok: false`. */
export function runCommand(
  command: string,
  args: string[],
  { timeoutMs = 300_000, env = {} }: { timeoutMs?: number; env?: Record<string, string> } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { env: { ...process.env, ...env }, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const output = [stdout, stderr, error && !stderr ? error.message : ''].join('').trim();
        resolve({ ok: error === null, output });
      },
    );
    child.stdin?.end();
  });
}

/** The absolute path of an executable on the PATH, or undefined. */
export async function findOnPath(command: string, path = process.env.PATH ?? ''): Promise<string | undefined> {
  for (const directory of path.split(delimiter)) {
    if (directory === '') continue;
    const candidate = join(directory, command);
    if (
      await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return candidate;
  }
  return undefined;
}
