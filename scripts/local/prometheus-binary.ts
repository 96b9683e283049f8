import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOnPath, runCommand } from './run-command.ts';

/** Where Prometheus and its tool are. */
export interface PrometheusBinaries {
  readonly prometheus: string;
  readonly promtool: string;
}

const repository = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Finds Prometheus for the tests: on the PATH, or brought by `scripts/install-tools.sh`.
 * @param say told before something slow happens, and why it cannot be had
 * @returns undefined where it cannot be had here
 */
export async function findPrometheus(say: (message: string) => void): Promise<PrometheusBinaries | undefined> {
  const installed = await installedPrometheus();
  if (installed) return installed;
  say('fetching prometheus…');
  const { output } = await runCommand('bash', [join(repository, 'scripts/install-tools.sh'), 'promtool', 'prometheus']);
  say(output);
  return installedPrometheus();
}

async function installedPrometheus(): Promise<PrometheusBinaries | undefined> {
  const path = `${join(repository, '.tools/bin')}:${process.env.PATH ?? ''}`;
  const [prometheus, promtool] = [await findOnPath('prometheus', path), await findOnPath('promtool', path)];
  return prometheus && promtool ? { prometheus, promtool } : undefined;
}
