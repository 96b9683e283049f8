import { setImmediate as turn } from 'node:timers/promises';

/** One line of work, whose calls of gated ports take place when the schedule says so. */
export interface Actor {
  /** The port as this actor calls it. */
  gated<Port extends object>(port: Port): Port;
  /** As a process that is killed: no call of it takes place from now on, and what waits for it never ends. */
  kill(): void;
}

export interface Schedule {
  /** Begins a line of work, by a name of its own. It must wait for nothing but gated calls, promises and turns of the loop. */
  start(name: string, work: (actor: Actor) => Promise<void>): void;
  /**
   * Lets one call take place at a time, chosen by `random` among all that wait, until nothing is left to do.
   * @param beforeEach is told how many calls have taken place, and may kill
   * @throws what an actor threw
   */
  run(random: () => number, beforeEach?: (step: number) => void): Promise<readonly string[]>;
}

interface Gate {
  readonly label: string;
  readonly open: () => void;
  readonly isDead: () => boolean;
}

/** Nothing that an actor does by itself takes so many turns: it waits for something that never comes. */
const mostIdleTurns = 1000;

/**
 * Runs lines of work in an order that follows from a seed: at every call of a port another one may go first, as among
 * processes. A failure repeats with its seed.
 */
export function createSchedule(): Schedule {
  const gates: Gate[] = [];
  /** Actors that have more to do, and are not killed. */
  const atWork = new Set<string>();
  const failures: unknown[] = [];

  function actorOf(name: string): Actor {
    let dead = false;
    const pass = (call: string) =>
      new Promise<void>((open) => {
        gates.push({ label: `${name} ${call}`, open, isDead: () => dead });
      });
    return {
      kill: () => {
        dead = true;
        atWork.delete(name);
      },
      gated: (port) =>
        new Proxy(port, {
          get(target, property, receiver) {
            const value = Reflect.get(target, property, receiver);
            if (typeof value !== 'function') return value;
            return (...args: unknown[]) => {
              // A list is asked for in one go; what it yields is as of then.
              if (property === 'list') return listed(pass, String(property), () => value.apply(target, args));
              return pass(String(property)).then(() => value.apply(target, args));
            };
          },
        }),
    };
  }

  return {
    start(name, work) {
      const actor = actorOf(name);
      atWork.add(name);
      work(actor)
        .catch((error: unknown) => failures.push(error))
        .finally(() => atWork.delete(name));
    },
    async run(random, beforeEach = () => {}) {
      const trace: string[] = [];
      let idleTurns = 0;
      for (;;) {
        // All that can go on without a gate does: promises settle within a turn of the loop.
        await turn();
        if (failures.length > 0) throw failures[0];
        const open = gates.filter((gate) => !gate.isDead());
        // Work that takes long lets others go on in between, and is at no gate then.
        if (open.length === 0 && atWork.size > 0 && idleTurns++ < mostIdleTurns) continue;
        if (open.length === 0) return trace;
        idleTurns = 0;
        beforeEach(trace.length);
        const next = open[Math.floor(random() * open.length)];
        if (!next || next.isDead()) continue;
        gates.splice(gates.indexOf(next), 1);
        trace.push(next.label);
        next.open();
      }
    },
  };
}

async function* listed(
  pass: (call: string) => Promise<void>,
  call: string,
  list: () => AsyncIterable<string>,
): AsyncGenerator<string> {
  await pass(call);
  yield* list();
}
