import { findOnPath, runCommand } from './run-command.ts';

/** What the package is called by each package manager; undefined where that one is not to be asked. */
export interface SystemPackage {
  apt?: string;
  brew?: string;
}

/**
 * Installs a package by the system's package manager, where that asks no question: apt-get as root or by a sudo that
 * wants no password, or brew.
 * @param say told before something slow happens
 * @returns whether there was a package manager to ask
 * @throws with the end of its output where it failed
 */
export async function installSystemPackage(
  { apt, brew }: SystemPackage,
  say: (message: string) => void,
): Promise<boolean> {
  if (brew !== undefined && (await findOnPath('brew')) !== undefined) {
    say(`installing ${brew} by brew…`);
    const brewed = await runCommand('brew', ['install', brew], { env: { HOMEBREW_NO_AUTO_UPDATE: '1' } });
    if (!brewed.ok) throw new Error(brewed.output.split('\n').at(-1));
    return true;
  }
  if (apt === undefined || (await findOnPath('apt-get')) === undefined) return false;
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (asRoot.length > 0 && !(await runCommand('sudo', ['-n', 'true'], { timeoutMs: 5_000 })).ok) return false;
  say(`installing ${apt} by apt-get…`);
  await aptInstall(apt, asRoot);
  return true;
}

async function aptInstall(name: string, asRoot: string[]): Promise<void> {
  // RUNLEVEL=1 keeps invoke-rc.d from starting services.
  const quietly = ['env', 'DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_MODE=l', 'RUNLEVEL=1'];
  const [command = 'env', ...before] = [...asRoot, ...quietly];
  const options = ['-y', '-qq', '-o', 'DPkg::Lock::Timeout=60', '--no-install-recommends'];
  const install = ['apt-get', ...options, 'install', name];
  let result = await runCommand(command, [...before, ...install]);
  if (!result.ok) {
    // A fresh image has no package lists; an installed machine has them, and updating costs seconds.
    await runCommand(command, [...before, 'apt-get', '-qq', 'update']);
    result = await runCommand(command, [...before, ...install]);
  }
  if (!result.ok) throw new Error(result.output.split('\n').slice(-3).join(' '));
}

/**
 * Stops the service that came with a package: we run a server on our own port and data. It was not on this machine a
 * moment ago, so nobody depends on it. systemd does not look at RUNLEVEL; where none runs this fails, which is fine.
 */
export async function disableService(name: string): Promise<void> {
  if ((await findOnPath('systemctl')) === undefined) return;
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const [command = 'systemctl', ...rest] = [...asRoot, 'systemctl', 'disable', '--now', name];
  await runCommand(command, rest, { timeoutMs: 30_000 });
}
