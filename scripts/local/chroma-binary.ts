import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDockerUsable } from './docker.ts';
import { StartError } from './program.ts';
import { installWheel } from './python-wheel.ts';

/** How a Chroma server can be run here. */
export type ChromaSource =
  | { kind: 'npm'; cli: string }
  | { kind: 'wheel'; directory: string }
  | { kind: 'docker'; image: string };

const CHROMA_IMAGE = 'chromadb/chroma:1.5.9';

/** The npm package's binary is linked against this C library or a newer one. */
const GLIBC_NEEDED = [2, 38] as const;

/**
 * Finds a Chroma server or gets one: the binary that the npm client brings, where the C library fits; else the Python
 * wheel; else Docker.
 * @param say told before something slow happens
 * @throws StartError `cannot_be_had`, with what was tried
 */
export async function findChroma(say: (message: string) => void = () => {}): Promise<ChromaSource> {
  const cli = chromaFromNpm();
  if (cli !== undefined) return { kind: 'npm', cli };
  try {
    return { kind: 'wheel', directory: await installWheel('chroma.requirements.txt', say) };
  } catch (error) {
    if (await isDockerUsable()) return { kind: 'docker', image: CHROMA_IMAGE };
    throw new StartError(
      'cannot_be_had',
      'No Chroma server could be found or installed. Set CHROMA_HOST and CHROMA_PORT to a running one, or install Python 3 with pip (python3-pip), which can fetch one.\n' +
        `- the npm package's binary does not fit this machine (glibc ${GLIBC_NEEDED.join('.')} or newer)\n` +
        `- ${error instanceof Error ? error.message : String(error)}\n- Docker cannot be used here`,
      { cause: error },
    );
  }
}

function chromaFromNpm(): string | undefined {
  if (!fitsNpmBinary(process.platform, glibcVersion())) return undefined;
  try {
    // The client is a dependency of the adapters; its platform binding is an optional one of its own.
    const adapters = createRequire(fileURLToPath(new URL('../../packages/adapters/package.json', import.meta.url)));
    const client = adapters.resolve('chromadb');
    const system = process.platform === 'linux' ? `linux-${process.arch}-gnu` : `darwin-${process.arch}`;
    createRequire(client).resolve(`chromadb-js-bindings-${system}`);
    return join(dirname(client), '..', 'cli.mjs');
  } catch {
    // Not installed for this platform: the next way is tried.
    return undefined;
  }
}

/** Whether the npm package's binary runs here. @param glibc version such as `2.36`, undefined without glibc */
export function fitsNpmBinary(platform: string, glibc: string | undefined): boolean {
  if (platform === 'darwin') return true;
  if (platform !== 'linux' || glibc === undefined) return false;
  const [major = 0, minor = 0] = glibc.split('.').map(Number);
  return major > GLIBC_NEEDED[0] || (major === GLIBC_NEEDED[0] && minor >= GLIBC_NEEDED[1]);
}

function glibcVersion(): string | undefined {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime;
}
