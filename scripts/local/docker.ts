import { createHash } from 'node:crypto';
import { findOnPath, runCommand } from './run-command.ts';

/** Whether a Docker engine answers: the command alone is no engine. */
export async function isDockerUsable(): Promise<boolean> {
  if ((await findOnPath('docker')) === undefined) return false;
  return (await runCommand('docker', ['info', '--format', '{{.ServerVersion}}'], { timeoutMs: 10_000 })).ok;
}

/**
 * Arguments that run an image in the foreground, as our user, its port on 127.0.0.1 only and its data in our folder.
 * The name follows from the folder, so that a container left over from a killed run can be found and removed.
 */
export function dockerRunArgs(
  image: string,
  dataDir: string,
  mountPoint: string,
  ports: string,
  args: string[],
): string[] {
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const name = containerName(image, dataDir);
  const limits = ['--rm', '--init', '--user', user, '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];
  return [
    'run',
    ...limits,
    '--name',
    name,
    '-p',
    `127.0.0.1:${ports}`,
    '-v',
    `${dataDir}:${mountPoint}`,
    image,
    ...args,
  ];
}

/** Removes the container that an earlier, killed run left behind, if there is one. */
export async function removeLeftover(image: string, dataDir: string): Promise<void> {
  await runCommand('docker', ['rm', '--force', containerName(image, dataDir)], { timeoutMs: 30_000 });
}

function containerName(image: string, dataDir: string): string {
  const hash = createHash('sha256').update(`${image} ${dataDir}`).digest('hex').slice(0, 12);
  return `semantic-memory-${hash}`;
}
