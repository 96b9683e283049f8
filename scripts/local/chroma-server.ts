import { mkdir } from 'node:fs/promises';
import type { ChromaSource } from './chroma-binary.ts';
import { dockerRunArgs, removeLeftover } from './docker.ts';
import type { Program } from './program.ts';

/** What the wheel's console script does, without site-packages: the bindings need no other module. */
const RUN_WHEEL = 'import sys, chromadb_rust_bindings as c; c.cli(["chroma", *sys.argv[1:]])';

/**
 * Chroma as a child of ours on 127.0.0.1. It keeps no lock on its folder: two servers on one would spoil each other's
 * data, so the caller holds the lock of the folder above.
 * @param dataDir its folder, made where it is missing
 */
export async function chromaProgram(source: ChromaSource, dataDir: string, port: number): Promise<Program> {
  await mkdir(dataDir, { recursive: true });
  const base = {
    name: 'chroma',
    env: { ANONYMIZED_TELEMETRY: 'False', CHROMA_PRODUCT_TELEMETRY_IMPL: undefined, PYTHONUNBUFFERED: '1' },
    isReady: () => answersHeartbeat(`http://127.0.0.1:${port}`),
    readyWithinMs: 60_000,
    explainFailure,
  };
  const run = ['run', '--host', '127.0.0.1', '--port', String(port), '--path', dataDir];
  switch (source.kind) {
    case 'npm':
      return { ...base, command: process.execPath, args: [source.cli, ...run] };
    case 'wheel':
      return {
        ...base,
        command: 'python3',
        args: ['-S', '-c', RUN_WHEEL, ...run],
        env: { ...base.env, PYTHONPATH: source.directory },
      };
    case 'docker': {
      await removeLeftover(source.image, dataDir);
      const inside = ['run', '--host', '0.0.0.0', '--port', '8000', '--path', '/data'];
      const args = dockerRunArgs(source.image, dataDir, '/data', `${port}:8000`, inside);
      return { ...base, command: 'docker', args, readyWithinMs: 300_000 };
    }
  }
}

/** Chroma that finds its port taken says so and exits with status 0, as if all were well. */
function explainFailure(line: string): 'port_taken' | undefined {
  return /Address .* is not available|port is already allocated/i.test(line) ? 'port_taken' : undefined;
}

/** Whether a Chroma answers its heartbeat at this address. */
export async function answersHeartbeat(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/api/v2/heartbeat`, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
