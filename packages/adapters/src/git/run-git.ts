import { spawn } from 'node:child_process';

export interface GitRun {
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Null where the process was killed. */
  readonly status: number | null;
  /** True where it wrote more than `maxOutputBytes`, and was killed for it. */
  readonly overflowed: boolean;
}

export interface GitProcess {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly maxOutputBytes: number;
}

const maxStderrBytes = 8_192;

/**
 * Runs git and gives what it said; `signal` kills it with all that it started.
 * @throws Error with `code: 'ENOENT'` where there is no git
 */
export function runGit(args: readonly string[], options: GitProcess, signal: AbortSignal): Promise<GitRun> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // A group of its own: the transport runs in a child of git, which would live on.
    const child = spawn('git', args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const kill = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has just ended by itself.
      }
    };
    const stdout: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    child.stdout.on('data', (part: Buffer) => {
      bytes += part.byteLength;
      if (bytes > options.maxOutputBytes) kill();
      else stdout.push(part);
    });
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      stderr = (stderr + part).slice(-maxStderrBytes);
    });
    signal.addEventListener('abort', kill, { once: true });
    child.on('error', reject);
    child.on('close', (status) => {
      signal.removeEventListener('abort', kill);
      resolve({ stdout: Buffer.concat(stdout), stderr, status, overflowed: bytes > options.maxOutputBytes });
    });
  });
}
