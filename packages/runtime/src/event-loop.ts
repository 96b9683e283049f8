import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface EventLoopWatch {
  /** The longest that the loop was held up since the last call, in milliseconds. */
  lagMs(): number;
  stop(): void;
}

/** Watches how late the event loop is: work that belongs in a child process shows here. */
export function watchEventLoop(): EventLoopWatch {
  const resolutionMs = 20;
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  return {
    lagMs() {
      // The histogram counts the whole interval between two of its ticks, in nanoseconds; 0 where none was yet.
      const lag = histogram.max / 1e6 - resolutionMs;
      histogram.reset();
      return Math.max(0, Math.round(lag));
    },
    stop() {
      histogram.disable();
    },
  };
}
