import { checkDependencies } from '@semantic-memory/runtime/dependency-checks';
import type { Ready } from '@semantic-memory/shared/contracts/http/health';
import type { ApiDeps } from './api-deps.ts';

/** The longest that a health check waits for one dependency. */
const dependencyTimeoutMs = 2000;

/** Whether requests should come here, with each dependency by name. What the dependencies said goes to the log only. */
export async function readiness(deps: ApiDeps): Promise<Ready> {
  const { ready, dependencies } = await checkDependencies(deps.dependencies, dependencyTimeoutMs);
  for (const [dependency, { state, message }] of Object.entries(dependencies)) {
    if (state === 'down') deps.logger.warn('a dependency does not answer', { dependency, reason: message });
  }
  return {
    state: deps.lifecycle.draining ? 'shutting down' : ready ? 'ready' : 'not ready',
    dependencies: Object.fromEntries(
      Object.entries(dependencies).map(([name, { state, needed, tookMs }]) => [name, { state, needed, tookMs }]),
    ),
  };
}
