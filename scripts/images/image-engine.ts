import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Program } from '../local/program.ts';
import type { CommandResult } from '../local/run-command.ts';

/** What is delivered as an image. */
export type App = 'api' | 'worker';

/** What an image says of itself, in the words of its configuration. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  /** The first word is CMD. */
  readonly Healthcheck: { readonly Test: readonly string[] };
}

/** How a container is started, beside what its image says. */
export type StartOptions = Pick<Program, 'isReady' | 'readyWithinMs'> & { readonly env: Record<string, string> };

export interface Container {
  /** Runs a command in it, as its user. */
  exec(command: readonly string[]): Promise<CommandResult>;
  /** SIGTERM, and SIGKILL after half a minute. @returns the exit status, null where it was killed */
  stop(): Promise<number | null>;
}

export interface Image {
  readonly config: ImageConfig;
  /** All of it, unpacked. */
  readonly sizeBytes: number;
  /**
   * Starts it as production does: the root read-only, /tmp in memory, /data shared with the others, no capability and no
   * way to get one. On the network of this machine.
   */
  start(options: StartOptions): Promise<Container>;
}

/** Builds images by `scripts/build-image.sh` and starts them: Docker, or buildah where no Docker runs. */
export interface ImageEngine {
  build(app: App): Promise<Image>;
  /** Removes what was made beside the images; containers must have been stopped. */
  close(): Promise<void>;
}

export const stopGraceMs = 30_000;
const buildWithinMs = 15 * 60_000;
const repository = fileURLToPath(new URL('../..', import.meta.url));

/** What a command writes to stdout. @throws Error with all that it wrote where it fails */
export async function outputOf(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const options = { env: { ...process.env, ...env }, timeout: buildWithinMs, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(command, args, options).catch((cause) => {
    throw new Error(`${command} ${args[0] ?? ''} failed:\n${cause.stdout}${cause.stderr}`, { cause });
  });
  return stdout.trim();
}

/** Builds `semantic-memory-APP:test`. @returns its name */
export async function buildImage(app: App, env: Record<string, string> = {}): Promise<string> {
  await outputOf('bash', [`${repository}scripts/build-image.sh`, app], env);
  return `semantic-memory-${app}:test`;
}
