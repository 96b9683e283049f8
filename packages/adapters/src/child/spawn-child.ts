import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type DataLimitGiB, isolated, systemPath } from './isolation.ts';
import { workInBackground } from './work-in-background.ts';

export interface SpawnOptions {
  /** The module that the child runs. */
  readonly entry: URL;
  /** Cap of the JavaScript heap, in MiB. Buffers and WebAssembly are outside of it. */
  readonly heapMiB: number;
  readonly dataLimitGiB: DataLimitGiB;
  /** A folder for compiled code that the children of one pool share. */
  readonly compileCacheDirectory: string;
}

/**
 * Starts a child with a channel, in the background, without anything from our environment that could be a secret, isolated as far as the
 * host allows.
 */
export async function spawnChild(options: SpawnOptions): Promise<ChildProcess> {
  const node = [
    process.execPath,
    `--max-old-space-size=${options.heapMiB}`,
    '--disable-warning=ExperimentalWarning',
    // From source, the workspace's packages are taken from source too.
    ...(options.entry.pathname.endsWith('.ts') ? ['--conditions=development'] : []),
    fileURLToPath(options.entry),
  ];
  const [command, ...args] = await isolated(node, options.dataLimitGiB);
  const child = spawn(command!, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: {
      PATH: systemPath,
      // A user that the system does not know, as in a container, has no home: some libraries ask for one as they load.
      HOME: '/nonexistent',
      NODE_COMPILE_CACHE: options.compileCacheDirectory,
      // One job at a time per child: its threads would only take cores from the other children.
      UV_THREADPOOL_SIZE: '2',
      OMP_THREAD_LIMIT: '1',
      // glibc keeps an arena per thread, which never shrinks.
      MALLOC_ARENA_MAX: '2',
    },
  });
  workInBackground(child.pid);
  return child;
}
