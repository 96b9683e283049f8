import { isDockerUsable } from '../local/docker.ts';
import { findOnPath, runCommand } from '../local/run-command.ts';
import { installSystemPackage } from '../local/system-package.ts';
import { buildahEngine } from './buildah-engine.ts';
import { dockerEngine } from './docker-engine.ts';
import type { ImageEngine } from './image-engine.ts';

/**
 * Docker where it runs, else buildah, which is brought where that asks no question.
 * @param say told before something slow happens
 * @returns how it is opened, or why there is none
 */
export async function findImageEngine(say: (message: string) => void): Promise<(() => Promise<ImageEngine>) | string> {
  if (await isDockerUsable()) return dockerEngine;
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return 'Docker does not run here, and buildah is for root on Linux';
  }
  if (!(await runCommand('unshare', ['--mount', 'true'])).ok) {
    return 'Docker does not run here, and root may not mount anything, which buildah needs';
  }
  for (const tool of ['buildah', 'debootstrap']) {
    if ((await findOnPath(tool)) !== undefined) continue;
    const asked = await installSystemPackage({ apt: tool }, say).catch((error: Error) => error.message);
    if ((await findOnPath(tool)) === undefined) {
      return `Docker does not run here, and ${tool} cannot be installed${typeof asked === 'string' ? `: ${asked}` : ''}`;
    }
  }
  return buildahEngine;
}
