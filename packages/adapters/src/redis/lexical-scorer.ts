import { Worker } from 'node:worker_threads';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import {
  type ScoringResult,
  type ScoringTask,
  scorePostings,
} from '@semantic-memory/shared/search/lexical/score-postings';
import { type ProgramBeside, programBeside } from '../child/program-beside.ts';
import type { ArrayRef, ScoringAnswer, ScoringMessage } from './lexical-scoring-protocol.ts';

const scoringThread = programBeside(import.meta.url, 'lexical-scoring-thread');
/** Steps, of some nanoseconds each, up to which scoring here is cheaper than telling another thread: 0.2 ms. */
const stepsHere = 50_000;
/** A thread that died is not started again for so long; meanwhile this one scores. */
const restartAfterMs = 10_000;

/** Scores large queries in a thread of its own, so that the loop which serves requests stays free. */
export interface Scorer {
  /** The task's arrays must not be changed before it has answered. */
  score(task: ScoringTask): Promise<ScoringResult>;
  /** That memory will not come again. */
  dropped(memory: ArrayBufferLike): void;
  close(): Promise<void>;
}

interface Waiting {
  readonly task: ScoringTask;
  resolve(result: ScoringResult): void;
  reject(error: unknown): void;
}

/**
 * @param options.stepsHere tests set it to 0, so that everything is scored in the thread
 * @param options.program tests give one that dies
 */
export function createScorer(
  logger: Logger | undefined,
  options: { readonly stepsHere?: number; readonly program?: ProgramBeside } = {},
): Scorer {
  const { stepsHere: here = stepsHere, program = scoringThread } = options;
  const waiting = new Map<number, Waiting>();
  let thread: Worker | undefined;
  let startedAt = Number.NEGATIVE_INFINITY;
  let closed = false;
  let nextId = 0;
  /** Numbers of the memory that the thread has. */
  let shared = new Map<ArrayBufferLike, number>();

  function start(): Worker | undefined {
    if (thread || closed || performance.now() - startedAt < restartAfterMs) return thread;
    startedAt = performance.now();
    // It needs nothing of the environment, and so can leak nothing of it.
    const started = new Worker(program.path, { env: {}, execArgv: [...program.execArgv] });
    started.unref();
    started.on('message', (answer: ScoringAnswer) => {
      const asked = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('result' in answer) asked?.resolve(answer.result);
      else asked?.reject(new Error(`a query could not be scored: ${answer.message}`));
    });
    started.on('error', (error) => logger?.error('the scoring thread died; queries are scored here', { error }));
    started.once('exit', () => {
      thread = undefined;
      shared = new Map();
      // Scoring has no effects: whatever was under way is done again here.
      const left = [...waiting.values()];
      waiting.clear();
      for (const { task, resolve } of left) resolve(scorePostings(task));
    });
    thread = started;
    return started;
  }

  const send = (to: Worker, message: ScoringMessage) => to.postMessage(message);

  function refTo<Numbers extends Uint32Array | Uint16Array>(to: Worker, numbers: Numbers): ArrayRef<Numbers> {
    const { buffer } = numbers;
    // A copy of these numbers only, not of all that lies beside them.
    if (!(buffer instanceof SharedArrayBuffer)) return { numbers: numbers.slice() as Numbers };
    let memory = shared.get(buffer);
    if (memory === undefined) {
      memory = nextId++;
      shared.set(buffer, memory);
      send(to, { kind: 'share', memory, buffer });
    }
    return { memory, length: numbers.length };
  }

  return {
    async score(task) {
      const to = stepsOf(task) > here ? start() : undefined;
      if (!to) return scorePostings(task);
      const { lists, lengths, ...rest } = task;
      const { promise, resolve, reject } = Promise.withResolvers<ScoringResult>();
      const id = nextId++;
      waiting.set(id, { task, resolve, reject });
      const refs = lists.map((list) => refTo(to, list));
      send(to, { kind: 'score', id, task: rest, lists: refs, lengths: refTo(to, lengths) });
      return promise;
    },

    dropped(memory) {
      const known = shared.get(memory);
      if (known === undefined) return;
      shared.delete(memory);
      // Where there is a thread: what a dead one had is forgotten.
      send(thread!, { kind: 'drop', memory: known });
    },

    async close() {
      closed = true;
      await thread?.terminate();
    },
  };
}

/** Roughly how many postings and lengths have to be looked at. */
function stepsOf({ lists, lengths, frequencies, select }: ScoringTask): number {
  const all = lists.reduce((sum, list) => sum + list.length, 0);
  const toCount = lists.reduce((sum, list, at) => sum + (frequencies[at] === undefined ? list.length : 0), 0);
  return toCount + (select.kind === 'these' ? select.ordinals.length * lists.length : all + lengths.length / 4);
}
