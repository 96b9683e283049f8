import { access } from 'node:fs/promises';
import { runCommand } from '../local/run-command.ts';
import { repository } from './repository-files.ts';

/**
 * Whether a tool of `scripts/install-tools.sh` that is a folder of packages is under `.tools`; it is brought where it is
 * not.
 * @param say told before something slow happens, and why it cannot be had
 */
export async function bringNpmTool(name: 'mermaid' | 'newman', say: (message: string) => void): Promise<boolean> {
  const isThere = () =>
    access(`${repository}.tools/${name}`).then(
      () => true,
      () => false,
    );
  if (await isThere()) return true;
  say(`fetching ${name}…`);
  const { ok, output } = await runCommand('bash', [`${repository}scripts/install-tools.sh`, name]);
  if (!ok) say(output);
  return isThere();
}
