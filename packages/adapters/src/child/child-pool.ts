import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { DataLimitGiB } from './isolation.ts';
import { type JobLimits, PoolChild } from './pool-child.ts';
import { spawnChild } from './spawn-child.ts';
import { Turns } from './turns.ts';
import { makeWorkDirectory } from './work-directory.ts';

/** From its command to its readiness a child takes 0.2 s on an idle core. */
const startWithinMs = 60_000;

export interface ChildPoolOptions {
  /** The module that the children run; it calls `serveJobs`. */
  readonly entry: URL;
  /** Jobs at the same time. */
  readonly size: number;
  /** Jobs after which a child is replaced; 1 gives every job a child of its own. */
  readonly jobsPerChild: number;
  /** A child that has grown beyond this after a job is replaced. */
  readonly recycleRssBytes: number;
  /** A child that grows beyond this in a job is killed. */
  readonly maxRssBytes: number;
  readonly heapMiB: number;
  readonly dataLimitGiB: DataLimitGiB;
  /** Whether one child is started ahead of need once the pool has been used, so that the next job does not wait for it. */
  readonly spare: boolean;
  /** Whether a child whose job failed is replaced, since nobody knows what it left behind. */
  readonly replaceFailed?: boolean;
  /** Children without work for this long are ended. */
  readonly idleMs: number;
  /** Places beyond `size` for those of whom no job runs: a long one of one tenant does not hold up another's. */
  readonly spareSize?: number;
  /** Where the folder of the pool is made; the system's folder for temporary files if not said. */
  readonly workParent?: string;
}

export interface PoolJobLimits extends JobLimits {
  /** Whose turn it takes where many wait for a place. */
  readonly turnOf?: string | undefined;
  /** Ends the waiting for a place; once the job has begun it means nothing. */
  readonly waiting?: AbortSignal | undefined;
}

interface Entering {
  readonly owner: string;
  readonly go: () => void;
}

/** Runs jobs in child processes that may be killed at any time. Starts nothing before the first job. */
export class ChildPool {
  readonly #options: ChildPoolOptions;
  readonly #closing = new AbortController();
  readonly #all = new Set<PoolChild>();
  #idle: PoolChild[] = [];
  #directory: Promise<string> | undefined;
  /** How many jobs of an owner run. */
  readonly #running = new Map<string, number>();
  #places = 0;
  readonly #starting = new Set<Promise<PoolChild>>();
  readonly #waiting = new Turns<Entering>();
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: ChildPoolOptions) {
    this.#options = options;
  }

  /**
   * Does a job in a child, waiting for a free one first.
   * @param owner a child that has done a job of one owner does none of another
   * @throws ChildFailure, MemoryError or the signal's reason, as `PoolChild.run`.
   */
  async run<Result>(job: unknown, limits: PoolJobLimits, owner?: string): Promise<Result> {
    const signal = AbortSignal.any([limits.signal, this.#closing.signal]);
    const turnOf = limits.turnOf ?? '';
    await this.#enter(turnOf, limits.waiting ? AbortSignal.any([signal, limits.waiting]) : signal);
    try {
      const child = await this.#take(owner);
      try {
        return (await child.run(job, { ...limits, signal })) as Result;
      } catch (error) {
        if (this.#options.replaceFailed) child.kill();
        throw error;
      } finally {
        await this.#giveBack(child);
      }
    } finally {
      this.#leave(turnOf);
    }
  }

  /** Kills all children; jobs under way reject. */
  async close(): Promise<void> {
    this.#closing.abort(new MemoryError('cancelled', 'The process is shutting down.'));
    // One that is only starting is not yet among all.
    await Promise.allSettled(this.#starting);
    await Promise.all([...this.#all].map((child) => child.end()));
    clearTimeout(this.#idleTimer);
    if (this.#directory) await rm(await this.#directory, { recursive: true, force: true });
  }

  async #enter(owner: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const entering = {
        owner,
        go: () => {
          signal.removeEventListener('abort', stop);
          resolve();
        },
      };
      const stop = () => {
        this.#waiting.remove(owner, entering);
        reject(signal.reason);
      };
      signal.addEventListener('abort', stop, { once: true });
      this.#waiting.push(owner, [entering]);
      this.#letIn();
    });
  }

  #letIn(): void {
    const { size, spareSize = 0 } = this.#options;
    for (;;) {
      if (this.#places >= size + spareSize) return;
      const mayGo = (owner: string) => this.#places < size || !this.#running.has(owner);
      const entering = this.#waiting.next(mayGo);
      if (!entering) return;
      this.#places += 1;
      this.#running.set(entering.owner, (this.#running.get(entering.owner) ?? 0) + 1);
      entering.go();
    }
  }

  #leave(owner: string): void {
    const others = this.#running.get(owner)! - 1;
    if (others > 0) this.#running.set(owner, others);
    else this.#running.delete(owner);
    this.#places -= 1;
    this.#letIn();
  }

  async #take(owner: string | undefined): Promise<PoolChild> {
    this.#idle = this.#idle.filter((child) => child.alive);
    const known = this.#takeIdle((child) => child.owner === owner);
    const child = known ?? this.#takeIdle((other) => other.owner === undefined) ?? (await this.#start());
    child.owner = owner;
    // Those of others would pile up, one for each.
    if (!known) while (this.#idle.length > this.#options.size) this.#idle.shift()?.kill();
    const isSpareThere = this.#starting.size > 0 || this.#idle.some((other) => other.owner === undefined);
    if (this.#options.spare && !isSpareThere) {
      // Its failure would show again where a job needs it.
      void this.#start().then(
        (spare) => this.#keep(spare),
        () => {},
      );
    }
    return child;
  }

  #takeIdle(wanted: (child: PoolChild) => boolean): PoolChild | undefined {
    const at = this.#idle.findLastIndex(wanted);
    return at < 0 ? undefined : this.#idle.splice(at, 1)[0];
  }

  async #start(): Promise<PoolChild> {
    this.#closing.signal.throwIfAborted();
    const starting = this.#startOne();
    this.#starting.add(starting);
    try {
      return await starting;
    } finally {
      this.#starting.delete(starting);
    }
  }

  async #startOne(): Promise<PoolChild> {
    // Where it could not be made, as on a full disk, the next job tries again.
    this.#directory ??= makeWorkDirectory(this.#options.workParent).catch((error) => {
      this.#directory = undefined;
      throw error;
    });
    const directory = await this.#directory;
    const { entry, heapMiB, dataLimitGiB, maxRssBytes } = this.#options;
    const spawned = await spawnChild({
      entry,
      heapMiB,
      dataLimitGiB,
      compileCacheDirectory: join(directory, 'compiled'),
    });
    const child = new PoolChild(spawned, { directory, maxRssBytes, startWithinMs });
    this.#all.add(child);
    void child.exited.then(() => this.#all.delete(child));
    return child;
  }

  async #giveBack(child: PoolChild): Promise<void> {
    const worn = child.jobs >= this.#options.jobsPerChild || (await child.rssBytes()) > this.#options.recycleRssBytes;
    if (worn || !child.alive) child.kill();
    else this.#keep(child);
  }

  #keep(child: PoolChild): void {
    this.#idle.push(child);
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      for (const idle of this.#idle.splice(0)) idle.kill();
    }, this.#options.idleMs).unref();
  }
}
