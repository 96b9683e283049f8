import type { Metrics } from '@semantic-memory/shared/ports/metrics';

type BreakerState = Parameters<Metrics['breakerState']>[1];

/** Shows a dependency's breaker, closed at first, and gives the function that is told of its changes. */
export const breakerMetric =
  (metrics: Pick<Metrics, 'breakerState'>) =>
  (dependency: string): ((state: BreakerState) => void) => {
    metrics.breakerState(dependency, 'closed');
    return (state) => metrics.breakerState(dependency, state);
  };
