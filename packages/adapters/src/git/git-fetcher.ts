import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { GitFetcher, RepositoryFile } from '@semantic-memory/shared/ports/fetcher';
import { createHostCheck, type HostCheckOptions, parseFetchUrl } from '../web/checked-host.ts';
import { watchFolderBytes } from './folder-size.ts';
import { gitFailure } from './git-errors.ts';
import { defaultSearchPath, gitEnvironment, gitSettings, isPlainRef, plainAttributes } from './git-settings.ts';
import { runGit } from './run-git.ts';
import { readTree } from './tree-listing.ts';

export interface GitFetcherOptions extends HostCheckOptions {
  /** Folders in which git is looked for, as in PATH. */
  readonly searchPath?: string;
  /** Where copies lie; the system's folder for temporary files where absent. */
  readonly temporaryDirectory?: string;
}

/** About 300,000 files; larger repositories are refused. */
const maxListingBytes = 32 * 1024 * 1024;
/** The packed objects lie beside the files. */
const diskFactor = 2;

/**
 * Makes shallow copies of public repositories by git itself, over http and https only. The host is checked as every
 * other address, and git connects to what was checked. Nothing in a repository is run or followed: no hooks, filters,
 * submodules or links.
 */
export function createGitFetcher(options: GitFetcherOptions): GitFetcher {
  const { searchPath = defaultSearchPath, temporaryDirectory = tmpdir() } = options;
  const checkHost = createHostCheck(options);

  return {
    async checkout({ url: address, ref = 'HEAD' }, { maxBytes, timeoutMs }, signal) {
      const url = parseFetchUrl(address);
      if (!isPlainRef(ref)) {
        throw new MemoryError('fetch_failed', 'The ref is not the name of a branch or tag, nor a commit.', {
          hint: 'Commits are named by all 40 characters.',
        });
      }
      const host = await checkHost(url);
      const folder = await mkdtemp(join(temporaryDirectory, 'semantic-memory-git-'));
      const dispose = () => rm(folder, { recursive: true, force: true });
      const tooLarge = new MemoryError('too_large', `The repository is larger than ${maxBytes} bytes.`, {
        details: { maxBytes },
      });
      const exceeded = new AbortController();
      const finished = new AbortController();
      const timeout = AbortSignal.timeout(timeoutMs);
      const stop = AbortSignal.any([signal, timeout, exceeded.signal]);
      const stopFor = (reason: unknown) => exceeded.abort(reason);
      const watch = watchFolderBytes(folder, maxBytes * diskFactor, () => stopFor(tooLarge), finished.signal).catch(
        stopFor,
      );
      const repo = join(folder, 'repo');
      const env = gitEnvironment(folder, searchPath);
      const git = async (...args: string[]): Promise<Buffer> => {
        const run = await runGit(args, { cwd: repo, env, maxOutputBytes: maxListingBytes }, stop);
        stop.throwIfAborted();
        if (run.overflowed) throw tooLarge;
        if (run.status !== 0) throw gitFailure(run);
        return run.stdout;
      };
      const settings = gitSettings(host);

      try {
        await Promise.all([mkdir(repo), mkdir(join(folder, 'home'))]);
        await assertUsable(git);
        await git(...settings, 'init', '--quiet', '--template=', '.');
        await mkdir(join(repo, '.git', 'info'), { recursive: true });
        await writeFile(join(repo, '.git', 'info', 'attributes'), plainAttributes);
        await git(
          ...settings,
          'fetch',
          '--quiet',
          '--depth=1',
          '--no-tags',
          '--no-write-fetch-head',
          ...fetched(url, ref),
        );
        const commit = (await git(...settings, 'rev-parse', '--verify', `${fetchedRef}^{commit}`)).toString().trim();
        const tree = readTree(await git(...settings, 'ls-tree', '-r', '-l', '-z', '--full-tree', commit));
        // Before anything is unpacked: a few packed bytes may be gigabytes.
        if (tree.reduce((sum, file) => sum + file.bytes, 0) > maxBytes) throw tooLarge;
        await git(...settings, 'checkout', '--quiet', '--detach', commit);
        const files = tree.map((file): RepositoryFile => ({ ...file, localPath: join(repo, file.path) }));
        return { commit, files, dispose };
      } catch (error) {
        await dispose();
        throw checkoutFailure(error, { signal, timeout, timeoutMs });
      } finally {
        finished.abort();
        await watch;
      }
    },
  };
}

/** Where the fetched commit is kept, out of the way of any name in the repository. */
const fetchedRef = 'refs/semantic-memory/fetched';

const fetched = (url: URL, ref: string) => ['--', url.href, `+${ref}:${fetchedRef}`];

/** Older versions ignore the setting that pins addresses, and would look names up again. */
async function assertUsable(git: (...args: string[]) => Promise<Buffer>): Promise<void> {
  const version = (await git('--version')).toString();
  const [, major, minor] = (/(\d+)\.(\d+)/.exec(version) ?? ['', '0', '0']).map(Number) as [number, number, number];
  if (major > 2 || (major === 2 && minor >= 37)) return;
  throw new MemoryError('dependency_unavailable', 'Git 2.37 or newer is needed to fetch repositories.', {
    hint: `Install a newer git where the fetch tier runs; found: ${version.trim()}.`,
  });
}

function checkoutFailure(
  error: unknown,
  ends: { signal: AbortSignal; timeout: AbortSignal; timeoutMs: number },
): unknown {
  if (ends.signal.aborted) {
    if (ends.signal.reason instanceof MemoryError) return ends.signal.reason;
    return new MemoryError('cancelled', 'Fetching the repository was cancelled.', { cause: error });
  }
  if (error instanceof MemoryError) return error;
  if (ends.timeout.aborted) {
    return new MemoryError('fetch_failed', `The repository was not fetched within ${ends.timeoutMs / 1000} s.`, {
      retry: { kind: 'backoff' },
      cause: error,
    });
  }
  if ((error as NodeJS.ErrnoException | null)?.code === 'ENOENT') {
    return new MemoryError('dependency_unavailable', 'There is no git where the fetch tier runs.', { cause: error });
  }
  return error;
}
