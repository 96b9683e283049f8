import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What this host lets us take from a child, found out once per process. */
export interface IsolationReport {
  /** The child has no network. */
  readonly network: boolean;
  /** The kernel refuses memory beyond a limit, also between two looks at the child's size. */
  readonly memoryLimit: boolean;
  /** The kernel ends the child when this process dies, however that happens. */
  readonly diesWithParent: boolean;
  /** What is not there, in words for an operator. Empty where everything is. */
  readonly missing: readonly string[];
}

/** Where the isolating commands live; a child learns nothing of our own environment. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type Argv = readonly string[];

/**
 * What the kernel allows a child in private memory. It counts what V8 reserves as well, some hundreds of MiB for each
 * thread with an engine of its own: 1 GiB stops tesseract's WebAssembly, 2 GiB a second thread. `--as` is useless, since
 * V8 reserves far more than it uses.
 */
export type DataLimitGiB = 2 | 4;

const networkWrappers: readonly Argv[] = [
  ['unshare', '-n', '--'],
  // Without root: a user namespace in which the network namespace may be made.
  ['unshare', '-r', '-n', '--'],
];
const memoryWrapper = (limit: DataLimitGiB): Argv => ['prlimit', `--data=${limit * 2 ** 30}`, '--core=0', '--'];
// Innermost, since the kernel forgets the wish when credentials change.
const parentWrapper: Argv = ['setpriv', '--pdeathsig', 'KILL', '--'];

interface Isolation {
  readonly report: IsolationReport;
  readonly prefixFor: (limit: DataLimitGiB | undefined) => Argv;
}

/** The wrappers that work on a host; undefined where none does. */
interface WorkingWrappers {
  readonly network: Argv | undefined;
  readonly memory: Argv | undefined;
  readonly parent: Argv | undefined;
}

let probed: Promise<Isolation> | undefined;

function probe(): Promise<Isolation> {
  probed ??= (async () => {
    const [network, memory, parent] = await Promise.all([
      firstThatWorks(networkWrappers),
      firstThatWorks([memoryWrapper(2)]),
      firstThatWorks([parentWrapper]),
    ]);
    return isolationBy({ network, memory, parent });
  })();
  return probed;
}

/** What these wrappers amount to: the report, and what goes before a command line. */
export function isolationBy({ network, memory, parent }: WorkingWrappers): Isolation {
  const missing = [
    ...(network ? [] : ['unshare -n: children are not cut off from the network']),
    ...(memory ? [] : ['prlimit: memory of children is watched, but not limited by the kernel']),
    ...(parent ? [] : ['setpriv: a child in a loop outlives a worker that was killed']),
  ];
  const report = { network: !!network, memoryLimit: !!memory, diesWithParent: !!parent, missing };
  const prefixFor: Isolation['prefixFor'] = (limit) => [
    ...(network ?? []),
    ...(memory && limit ? memoryWrapper(limit) : []),
    ...(parent ?? []),
  ];
  return { report, prefixFor };
}

/** The first of these that a command runs under, here and with our rights. */
export async function firstThatWorks(wrappers: readonly Argv[]): Promise<Argv | undefined> {
  for (const wrapper of wrappers) {
    const [command, ...args] = wrapper;
    try {
      await run(command!, [...args, process.execPath, '--version'], { timeout: 10_000, env: { PATH: systemPath } });
      return wrapper;
    } catch {
      // Not on this host, or forbidden there: that is the finding.
    }
  }
  return undefined;
}

/** What isolation of children is missing on this host; for `/health/ready`. */
export async function isolationReport(): Promise<IsolationReport> {
  return (await probe()).report;
}

/**
 * The command line that starts `argv` with all the isolation that this host allows. Every wrapper execs: one process.
 * @param dataLimit none where it runs nothing but what is ours, on sizes that we choose
 */
export async function isolated(argv: Argv, dataLimit?: DataLimitGiB): Promise<Argv> {
  return [...(await probe()).prefixFor(dataLimit), ...argv];
}
