import type { Client } from '@semantic-memory/client/client';
import { openFile } from '@semantic-memory/client/file-source';
import { documentIdOf, findFiles } from '@semantic-memory/client/find-files';
import type { CallOptions, IngestFields, IngestOptions } from '@semantic-memory/client/inputs';
import type { DryRun } from '@semantic-memory/shared/contracts/model/dry-run';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { UsageError } from './token.ts';

/** One thing to ingest: a file, or a source that the service fetches. */
export interface Target {
  /** As it is shown. */
  name: string;
  /** Where the path should become the id. */
  id: string;
  send(client: Client, options: IngestOptions): Promise<Job>;
  dryRun(client: Client, options: IngestFields & CallOptions): Promise<DryRun>;
}

/**
 * What the arguments name: files, folders with all below them, web addresses, and git repositories (`….git`).
 *
 * @throws UsageError where a path is not there.
 */
export async function findTargets(paths: readonly string[]): Promise<Target[]> {
  const targets: Target[] = [];
  for (const path of paths) {
    if (/^https?:\/\//.test(path)) {
      const type = path.endsWith('.git') ? 'git' : 'url';
      const send: Target['send'] = (client, options) => client.ingest({ type, url: path }, options);
      const dryRun: Target['dryRun'] = (client, options) => client.dryRun({ type, url: path }, options);
      targets.push({ name: path, id: documentIdOf(path), send, dryRun });
      continue;
    }
    const files = await findFiles(path).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(error.code === 'ENOENT' ? `There is no file or folder ${path}.` : error.message);
    });
    for (const file of files) {
      const send: Target['send'] = async (client, options) => client.ingestFile(await openFile(file.path), options);
      const dryRun: Target['dryRun'] = async (client, options) => client.dryRun(await openFile(file.path), options);
      targets.push({ name: files.length === 1 ? path : file.name, id: documentIdOf(file.name), send, dryRun });
    }
  }
  return targets;
}
