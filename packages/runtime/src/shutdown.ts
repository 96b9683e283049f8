import type { Logger } from '@semantic-memory/shared/ports/logger';

/** The part of `process` that ends and is told to end. */
export interface EndingProcess {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  exit(code: number): void;
}

export interface ShutdownOptions {
  readonly logger: Logger;
  /** The longest that all steps together may take; then the process ends without the rest. */
  readonly graceMs: number;
  readonly process?: EndingProcess;
}

export interface Shutdown {
  /** What to do at the end. The last one added is done first: what was built on the others goes before them. */
  add(name: string, close: () => unknown): void;
  /** Whether the process is ending. */
  readonly started: boolean;
  /** Runs the steps once and exits; 0 where all went well. */
  begin(reason: string, exitCode?: number): Promise<void>;
  /** Takes its listeners off the process again. */
  dispose(): void;
}

/**
 * Ends the process in order on SIGTERM and SIGINT; a second signal ends it at once. What nobody caught is logged and
 * ends the process with status 1, without the steps: its state cannot be trusted.
 */
export function createShutdown(options: ShutdownOptions): Shutdown {
  const { logger, graceMs } = options;
  const target: EndingProcess = options.process ?? (process as unknown as EndingProcess);
  const steps: { name: string; close: () => unknown }[] = [];
  let running: Promise<void> | undefined;

  const runSteps = async (): Promise<boolean> => {
    let good = true;
    for (const { name, close } of steps.toReversed()) {
      try {
        await close();
      } catch (error) {
        good = false;
        logger.error(`could not close ${name}`, { error });
      }
    }
    return good;
  };

  const begin = (reason: string, exitCode = 0): Promise<void> => {
    running ??= (async () => {
      logger.info('shutting down', { reason });
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), graceMs);
      });
      const outcome = await Promise.race([runSteps(), late]);
      clearTimeout(timer);
      if (outcome === 'late') logger.error('shutdown took too long; ending without the rest', { graceMs });
      else logger.info('shut down');
      target.exit(outcome === true ? exitCode : exitCode || 1);
    })();
    return running;
  };

  const onSignal = (signal: string) => () => {
    if (running) {
      logger.warn('second signal: ending at once', { signal });
      target.exit(1);
    } else {
      void begin(signal);
    }
  };
  const onFault = (kind: string) => (error: unknown) => {
    logger.error(kind, { error: error instanceof Error ? error : new Error(String(error)) });
    target.exit(1);
  };
  const listeners: [string, (...args: unknown[]) => void][] = [
    ['SIGTERM', onSignal('SIGTERM')],
    ['SIGINT', onSignal('SIGINT')],
    ['uncaughtException', onFault('uncaught exception')],
    ['unhandledRejection', onFault('unhandled rejection')],
  ];
  for (const [event, listener] of listeners) target.on(event, listener);

  return {
    add: (name, close) => void steps.push({ name, close }),
    get started() {
      return running !== undefined;
    },
    begin,
    dispose() {
      for (const [event, listener] of listeners) target.off(event, listener);
    },
  };
}

/**
 * Calls `whenGone` once the process that started this one is gone: the system then gives it another parent.
 * @returns a function that stops watching
 */
export function onParentGone(
  whenGone: () => void,
  { parentPid = () => process.ppid, everyMs = 500 }: { parentPid?: () => number; everyMs?: number } = {},
): () => void {
  const parent = parentPid();
  const timer = setInterval(() => {
    if (parentPid() === parent) return;
    clearInterval(timer);
    whenGone();
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
