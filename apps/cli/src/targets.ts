import type { Client } from '@semantic-memory/client/client';
import { openFile } from '@semantic-memory/client/file-source';
import { documentIdOf, findFiles } from '@semantic-memory/client/find-files';
import type { CallOptions, IngestFields, IngestOptions } from '@semantic-memory/client/inputs';
import type { DryRun } from '@semantic-memory/shared/contracts/model/dry-run';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import type { Source } from '@semantic-memory/shared/contracts/model/source';
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
 * What the arguments name: files, folders with all below them, web addresses, git repositories (`….git`), objects of
 * buckets (`s3://bucket/key`) and all below a prefix of one (`s3://bucket/prefix/`).
 *
 * @throws UsageError where a path is not there.
 */
export async function findTargets(paths: readonly string[]): Promise<Target[]> {
  const targets: Target[] = [];
  for (const path of paths) {
    const source = sourceOf(path);
    if (source) {
      const send: Target['send'] = (client, options) => client.ingest(source, options);
      const dryRun: Target['dryRun'] = (client, options) => client.dryRun(source, options);
      targets.push({ name: path, id: documentIdOf(path), send, dryRun });
      continue;
    }
    const files = await findFiles(path).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(error.code === 'ENOENT' ? `There is no file or folder ${path}.` : error.message);
    });
    for (const file of files) {
      const send: Target['send'] = async (client, options) => client.ingestFile(await openFile(file.path), options);
      const dryRun: Target['dryRun'] = async (client, options) => client.dryRun(await openFile(file.path), options);
      targets.push({ name: file.path === path ? path : file.name, id: documentIdOf(file.name), send, dryRun });
    }
  }
  return targets;
}

/** A source that the service fetches; undefined for what is a path of this machine. */
function sourceOf(path: string): Source | undefined {
  if (/^https?:\/\//.test(path)) return { type: path.endsWith('.git') ? 'git' : 'url', url: path };
  const [, bucket, key = ''] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(path) ?? [];
  if (bucket === undefined) return undefined;
  return { type: 's3', bucket, ...(key === '' || key.endsWith('/') ? { prefix: key } : { key }) };
}
