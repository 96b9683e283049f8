import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Turn } from './make-way.ts';

/** Steps that this process is running, each with the signal that stops it. */
export interface RunningJobs {
  readonly size: number;
  readonly ids: readonly string[];
  /** Whose turn more than half of them take, if there is one. */
  readonly majority: Turn | undefined;
  /** @param runningMs after which the signal fires */
  start(id: string, runningMs: number, turn?: Turn): { readonly signal: AbortSignal; end(): void };
  /** Stops those whose lock is gone: another worker may have them already. */
  loseLocks(ids: readonly string[]): void;
  /** Stops all, those included that start from now on. */
  stopAll(): void;
}

/** Nothing is wrong with the step: it goes on elsewhere from its last artifact, and no attempt is used. */
const goesOnElsewhere = (message: string) =>
  new MemoryError('dependency_unavailable', message, { retry: { kind: 'elsewhere' } });

export function createRunningJobs(): RunningJobs {
  const controllers = new Map<string, AbortController>();
  const turns = new Map<string, Turn>();
  let stopping = false;
  const stop = (controller: AbortController) =>
    controller.abort(goesOnElsewhere('The worker stops; the step goes on in another.'));
  return {
    get size() {
      return controllers.size;
    },
    get ids() {
      return [...controllers.keys()];
    },
    get majority() {
      const counts = new Map<string, number>();
      for (const turn of turns.values()) {
        const name = `${turn.priority} ${turn.tenant}`;
        const count = (counts.get(name) ?? 0) + 1;
        if (2 * count > controllers.size) return turn;
        counts.set(name, count);
      }
      return undefined;
    },
    start(id, runningMs, turn) {
      const controller = new AbortController();
      controllers.set(id, controller);
      if (turn) turns.set(id, turn);
      const timer = setTimeout(() => controller.abort(tooLong(runningMs)), runningMs);
      if (stopping) stop(controller);
      return {
        signal: controller.signal,
        end() {
          clearTimeout(timer);
          if (controllers.get(id) !== controller) return;
          controllers.delete(id);
          turns.delete(id);
        },
      };
    },
    loseLocks(ids) {
      for (const id of ids) controllers.get(id)?.abort(goesOnElsewhere('The lock on the step was lost.'));
    },
    stopAll() {
      stopping = true;
      for (const controller of controllers.values()) stop(controller);
    },
  };
}

const tooLong = (runningMs: number) =>
  new MemoryError('limits_exceeded', `The step took longer than ${Math.round(runningMs / 1000)} s.`, {
    // It may have been the machine: what is finished is kept, and another attempt goes on from there.
    retry: { kind: 'backoff' },
  });
