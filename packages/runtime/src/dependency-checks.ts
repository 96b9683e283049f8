/** One thing that this process stands on. */
export interface DependencyCheck {
  readonly name: string;
  /** Answers where the dependency does, throws where it does not. */
  readonly check: () => Promise<void>;
  /** Whether the process is of no use without it. */
  readonly needed: boolean;
}

export interface DependencyState {
  readonly state: 'up' | 'down';
  readonly needed: boolean;
  readonly tookMs: number;
  /** What the dependency, or its client, said; for operators. */
  readonly message?: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly dependencies: Readonly<Record<string, DependencyState>>;
}

/**
 * Asks every dependency at the same time, each for at most `timeoutMs`.
 * Ready means that all needed ones answered.
 */
export async function checkDependencies(checks: readonly DependencyCheck[], timeoutMs: number): Promise<Readiness> {
  const states = await Promise.all(checks.map(async (check) => [check.name, await stateOf(check, timeoutMs)] as const));
  return {
    ready: states.every(([, dependency]) => dependency.state === 'up' || !dependency.needed),
    dependencies: Object.fromEntries(states),
  };
}

async function stateOf({ check, needed }: DependencyCheck, timeoutMs: number): Promise<DependencyState> {
  const startedAt = performance.now();
  const tookMs = () => Math.round(performance.now() - startedAt);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([check(), late]);
    return { state: 'up', needed, tookMs: tookMs() };
  } catch (error) {
    return { state: 'down', needed, tookMs: tookMs(), message: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
