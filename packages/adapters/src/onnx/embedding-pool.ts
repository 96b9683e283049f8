import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { crashError, maxKills } from '@semantic-memory/shared/ingest/jobs/poison';
import { Turns } from '../child/turns.ts';
import { type EmbeddingModelFiles, type EmbeddingProcess, startEmbeddingProcess } from './embedding-process.ts';
import type { TokenRows } from './embedding-protocol.ts';

/**
 * One text runs, one waits in the channel: the process never idles between two texts. The text of an owner who has none in
 * hand goes there too, before the one that waits.
 */
const maxInFlight = 2;
/** So many processes in a row that died before they were ready: starting another cannot help. */
const maxFailedStarts = 3;
/**
 * The longest text takes 0.15 s on an ordinary core. What takes so long hangs: sooner where somebody waits for a query, later
 * where the process gives way to others and may get a tenth of a core.
 */
const hangMs = 5_000;
const hangInBackgroundMs = 60_000;
/** Loading takes 0.3 s there. */
const startMs = 60_000;

export interface EmbeddingPoolOptions extends EmbeddingModelFiles {
  readonly processes: number;
  /** Token ids of a text with the control tokens. Called when the text's turn has come. */
  readonly encode: (text: string) => EncodedText;
}

/** A text as the model reads it. */
export interface EncodedText {
  /** With the control tokens at both ends. */
  readonly tokenIds: Int32Array;
  /** Where each of them but the control tokens begins in the text. */
  readonly starts: Int32Array;
}

export interface EmbeddedText {
  readonly vector: Float32Array;
  readonly encoded: EncodedText;
  /** Without the ones that were left out and the last one; undefined where none were asked for. */
  readonly tokens?: TokenRows | undefined;
}

interface Batch {
  readonly owner: string;
  readonly skip: number | undefined;
  readonly results: EmbeddedText[];
  remaining: number;
  settled: boolean;
  resolve(results: EmbeddedText[]): void;
  reject(reason: unknown): void;
}

interface Task {
  readonly id: number;
  readonly batch: Batch;
  readonly index: number;
  readonly text: string;
  encoded?: EncodedText;
  tries: number;
}

interface Member {
  readonly process: EmbeddingProcess;
  /** In the order in which the process has them: the first one runs. */
  readonly tasks: Task[];
  ready: boolean;
  watchdog?: NodeJS.Timeout;
}

/**
 * Hands texts to processes, urgent ones first, the others by turns of their owners in the order they came. A process that
 * dies is replaced, and its texts go back to the head of the queue.
 */
export class EmbeddingPool {
  readonly #options: EmbeddingPoolOptions;
  readonly #members = new Set<Member>();
  readonly #waiters: { resolve(): void; reject(reason: unknown): void }[] = [];
  #urgent: Task[] = [];
  readonly #queue = new Turns<Task>();
  #failedStarts = 0;
  #lastId = 0;
  #closed = false;

  constructor(options: EmbeddingPoolOptions) {
    this.#options = options;
  }

  /** Process ids, for those who measure or test. */
  get pids(): number[] {
    return [...this.#members].flatMap((member) => member.process.pid ?? []);
  }

  /** Starts the processes and resolves when all have loaded the model. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#startMissing();
      this.#tellWaiters();
    });
  }

  /**
   * One vector per text, in order; all or none.
   * @param options.skip set where the tokens' own vectors are wanted: how many at the beginning are left out
   */
  embed(
    texts: readonly string[],
    options: {
      urgent?: boolean;
      signal?: AbortSignal | undefined;
      owner?: string | undefined;
      skip?: number | undefined;
    } = {},
  ) {
    const { signal } = options;
    return new Promise<EmbeddedText[]>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (texts.length === 0) return resolve([]);
      const abort = () => settle(() => reject(signal?.reason));
      const batch: Batch = {
        owner: options.owner ?? '',
        skip: options.skip,
        results: [],
        remaining: texts.length,
        settled: false,
        resolve: (results) => settle(() => resolve(results)),
        reject: (reason) => settle(() => reject(reason)),
      };
      const settle = (tell: () => void) => {
        batch.settled = true;
        signal?.removeEventListener('abort', abort);
        tell();
      };
      signal?.addEventListener('abort', abort);
      const tasks = texts.map((text, index): Task => ({ id: ++this.#lastId, batch, index, text, tries: 0 }));
      if (options.urgent) this.#urgent.push(...tasks);
      else this.#queue.push(batch.owner, tasks);
      this.#startMissing();
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const members = [...this.#members];
    this.#giveUp(
      new MemoryError('dependency_unavailable', 'The embedding model was stopped.', {
        retry: { kind: 'wait', afterMs: 1000 },
      }),
    );
    await Promise.all(members.map((member) => member.process.close()));
  }

  #startMissing(): void {
    if (this.#closed) throw new MemoryError('dependency_unavailable', 'The embedding model was stopped.');
    while (this.#members.size < this.#options.processes) this.#start();
  }

  #start(): void {
    const member: Member = {
      tasks: [],
      ready: false,
      process: startEmbeddingProcess(this.#options, {
        onReport: (report) => {
          if (report.kind === 'ready') {
            member.ready = true;
            this.#failedStarts = 0;
            this.#tellWaiters();
          } else {
            const task = take(member.tasks, report.id)!;
            const next = take(member.tasks, report.next);
            if (next) member.tasks.unshift(next);
            if (report.kind === 'done') deliver(task, report.vector, report.tokens);
            else task.batch.reject(new MemoryError('internal', `The embedding model failed: ${report.message}`));
          }
          this.#watch(member);
          this.#dispatch();
        },
        onExit: (reason) => this.#replace(member, reason),
      }),
    };
    this.#members.add(member);
    member.watchdog = setTimeout(() => member.process.kill(), startMs);
  }

  #dispatch(): void {
    const members = [...this.#members].filter((member) => member.ready);
    for (let depth = 0; depth < maxInFlight; depth++)
      for (const member of members) {
        if (member.tasks.length > depth) continue;
        const task = this.#next();
        if (task === undefined) return;
        member.tasks.push(task);
        this.#send(member, task);
        if (member.tasks.length === 1) this.#watch(member);
      }
    for (const member of members) {
      if (member.tasks.length > maxInFlight) continue;
      const task = this.#nextOfNewcomer();
      if (task === undefined) return;
      member.tasks.splice(1, 0, task);
      this.#send(member, task, true);
    }
  }

  #send(member: Member, task: Task, overtakes = false): void {
    task.encoded = this.#options.encode(task.text);
    member.process.send({ id: task.id, tokenIds: task.encoded.tokenIds, skip: task.batch.skip, overtakes });
  }

  /** The next text that anyone still waits for. */
  #next(): Task | undefined {
    for (;;) {
      const task = this.#urgent.shift() ?? this.#queue.next();
      if (task === undefined || !task.batch.settled) return task;
    }
  }

  /** The next text of an owner who has none in hand, where everybody's places are taken. */
  #nextOfNewcomer(): Task | undefined {
    const owners = new Set([...this.#members].flatMap(({ tasks }) => tasks.map(({ batch }) => batch.owner)));
    for (;;) {
      const task = this.#queue.next((owner) => !owners.has(owner));
      if (task === undefined || !task.batch.settled) return task;
    }
  }

  #watch(member: Member): void {
    clearTimeout(member.watchdog);
    if (member.tasks.length === 0) return;
    const withinMs = this.#options.background ? hangInBackgroundMs : hangMs;
    member.watchdog = setTimeout(() => member.process.kill(), withinMs);
  }

  #replace(member: Member, reason: string): void {
    clearTimeout(member.watchdog);
    this.#members.delete(member);
    if (this.#closed) return;
    if (!member.ready && ++this.#failedStarts >= maxFailedStarts) {
      this.#failedStarts = 0;
      this.#giveUp(internalError('The embedding model cannot be started', reason));
      return;
    }
    const [running] = member.tasks;
    if (running !== undefined && ++running.tries >= maxKills)
      running.batch.reject(crashError('The embedding model died of this text.', new Error(reason), running.tries));
    this.#urgent.unshift(...member.tasks);
    if (this.#urgent.length + this.#queue.size + this.#waiters.length > 0) this.#startMissing();
    this.#dispatch();
  }

  #tellWaiters(): void {
    const members = [...this.#members];
    if (members.length < this.#options.processes || !members.every((member) => member.ready)) return;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  #giveUp(error: MemoryError): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    const tasks = [...this.#urgent, ...this.#queue.takeAll(), ...[...this.#members].flatMap((member) => member.tasks)];
    for (const task of tasks) if (!task.batch.settled) task.batch.reject(error);
    this.#urgent = [];
  }
}

/** Removes it. */
function take(tasks: Task[], id: number | undefined): Task | undefined {
  const at = tasks.findIndex((task) => task.id === id);
  return at < 0 ? undefined : tasks.splice(at, 1)[0];
}

function deliver({ batch, index, encoded }: Task, vector: Float32Array, tokens: TokenRows | undefined): void {
  if (batch.settled) return;
  batch.results[index] = { vector, encoded: encoded!, tokens };
  if (--batch.remaining === 0) batch.resolve(batch.results);
}

function internalError(message: string, reason: string): MemoryError {
  return new MemoryError('internal', `${message}.`, { retry: { kind: 'backoff' }, cause: new Error(reason) });
}
