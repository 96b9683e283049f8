/** Whether the process is ending: what has no end of its own (a stream of events) listens to it. */
export interface Lifecycle {
  /** New requests are still answered, but `/health/ready` sends them elsewhere. */
  readonly draining: boolean;
  /** Aborts when streams have to end. */
  readonly stopping: AbortSignal;
  drain(): void;
  stop(): void;
}

export function createLifecycle(): Lifecycle {
  const controller = new AbortController();
  let draining = false;
  return {
    get draining() {
      return draining;
    },
    stopping: controller.signal,
    drain() {
      draining = true;
    },
    stop() {
      draining = true;
      controller.abort();
    },
  };
}
