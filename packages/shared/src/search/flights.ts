import { MemoryError } from '../contracts/errors.ts';

interface Flight {
  readonly result: Promise<unknown>;
  readonly stop: AbortController;
  callers: number;
}

export interface Flights {
  has(key: string): boolean;
  /**
   * Joins the work that is under way under a key, or begins it. The work goes on as long as one of those who wait for
   * it does.
   * @param signal of this caller only
   * @throws what the work throws; MemoryError `cancelled` by `signal`
   */
  run<Result>(key: string, work: (signal: AbortSignal) => Promise<Result>, signal?: AbortSignal): Promise<Result>;
}

/** Work of this process that several callers want at the same time, done once. */
export function createFlights(): Flights {
  const flights = new Map<string, Flight>();

  function begin(key: string, work: (signal: AbortSignal) => Promise<unknown>): Flight {
    const stop = new AbortController();
    const result = work(stop.signal).finally(() => {
      if (flights.get(key) === flight) flights.delete(key);
    });
    const flight: Flight = { result, stop, callers: 0 };
    flights.set(key, flight);
    return flight;
  }

  return {
    has: (key) => flights.has(key),
    async run<Result>(key: string, work: (signal: AbortSignal) => Promise<Result>, signal?: AbortSignal) {
      const flight = flights.get(key) ?? begin(key, work);
      flight.callers += 1;
      try {
        return (await (signal ? orCancelled(flight.result, signal) : flight.result)) as Result;
      } finally {
        flight.callers -= 1;
        if (flight.callers === 0) {
          // Whoever comes now begins anew.
          if (flights.get(key) === flight) flights.delete(key);
          flight.stop.abort(signal?.reason);
        }
      }
    },
  };
}

function orCancelled<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new MemoryError('cancelled', 'The request was cancelled.', { cause: signal.reason }));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
