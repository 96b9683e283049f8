/** A wait that ends early, with the signal's reason, where it is aborted. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** A time limit that can be pushed back, joined with the caller's signal. `stop` releases timer and listener. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Whether the limit ended it, rather than the caller. */
  readonly expired: boolean;
  restart(): void;
  stop(): void;
}

export function deadline(ms: number, callerSignal?: AbortSignal): Deadline {
  const controller = new AbortController();
  let expired = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const abort = () => controller.abort(callerSignal?.reason);
  const stop = () => {
    clearTimeout(timer);
    callerSignal?.removeEventListener('abort', abort);
  };
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      expired = true;
      controller.abort(new Error(`no answer within ${ms} ms`));
    }, ms);
  };
  if (callerSignal?.aborted) abort();
  else callerSignal?.addEventListener('abort', abort, { once: true });
  restart();
  return {
    signal: controller.signal,
    get expired() {
      return expired;
    },
    restart,
    stop,
  };
}
