import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

/** Where, when and of what code it was measured. */
export interface Circumstances {
  readonly at: string;
  /** `+` where files were changed since. */
  readonly commit: string;
  readonly machine: object;
}

export function circumstances(): Circumstances {
  return {
    at: new Date().toISOString(),
    commit: currentCommit(),
    machine: {
      cores: cpus().length,
      processor: cpus()[0]?.model,
      memoryGb: Math.round(totalmem() / 1e9),
      node: process.version,
    },
  };
}

function currentCommit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty=+', '--exclude=*'], { encoding: 'utf8' }).trim();
  } catch {
    // Unpacked without its history, as from an archive: the figures are good, their origin is unknown.
    return 'unknown';
  }
}
