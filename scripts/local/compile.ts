import { fileURLToPath } from 'node:url';
import { StartError } from './program.ts';
import { runCommand } from './run-command.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Compiles what has changed since the last time (nothing: a third of a second). The services run from JavaScript, as in
 * their images: Node would otherwise strip the types in each of a dozen processes, for 30 MB and half a second each.
 * @throws StartError with what the compiler says
 */
export async function compile(): Promise<void> {
  const compiler = `${repository}node_modules/typescript/bin/tsc`;
  const { ok, output } = await runCommand(process.execPath, [
    compiler,
    '-b',
    `${repository}apps/api`,
    `${repository}apps/worker`,
  ]);
  if (!ok) throw new StartError('cannot_be_had', `The sources do not compile:\n${output}`);
}
