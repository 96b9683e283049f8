/** Documents that one process accepts at the same time: disk and Redis wait, not the process. */
const placesAtOnce = 32;
/**
 * While several tenants are there, one document is begun every so many milliseconds, and each tenant's in turn: some 250 a
 * second, which is more than workers on the same machine take, and leaves them a part of it. Not fewer places, since
 * a blob store far away wants many.
 */
const paceMs = 4;
/** A tenant whose document was accepted this long ago is still there: what is done with it wants the same machine. */
const lingerMs = 1000;

/**
 * Runs a piece of work once it is its tenant's turn.
 * @throws what the work throws
 */
export type TenantTurns = <Result>(tenant: string, work: () => Promise<Result>) => Promise<Result>;

export interface TurnOptions {
  readonly places?: number;
  readonly pace?: number;
  readonly linger?: number;
}

interface Tenant {
  underWay: number;
  readonly waiting: (() => void)[];
  /** When its next one may begin, where it is not alone. */
  notBefore: number;
  /** Set while it has nothing to be accepted. */
  leaves?: NodeJS.Timeout;
}

/**
 * A tenant that is alone has all places, at once. Where others are there, the places are shared out equally and taken
 * slowly, so that one document is found about as soon beside somebody's thousands as alone. Within a tenant it is first
 * come, first served.
 */
export function createTenantTurns({
  places = placesAtOnce,
  pace = paceMs,
  linger = lingerMs,
}: TurnOptions = {}): TenantTurns {
  const tenants = new Map<string, Tenant>();
  let timer: NodeJS.Timeout | undefined;

  function admit(): void {
    const spacing = tenants.size === 1 ? 0 : pace * tenants.size;
    const share = Math.max(1, Math.floor(places / tenants.size));
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const tenant of tenants.values()) {
      while (tenant.waiting.length > 0 && tenant.underWay < share) {
        if (spacing > 0 && now < tenant.notBefore) {
          next = Math.min(next, tenant.notBefore);
          break;
        }
        tenant.underWay += 1;
        tenant.notBefore = now + spacing;
        tenant.waiting.shift()?.();
      }
    }
    clearTimeout(timer);
    if (next !== Number.POSITIVE_INFINITY) timer = setTimeout(admit, next - now);
  }

  function leave(name: string, tenant: Tenant): void {
    tenant.leaves = setTimeout(() => {
      tenants.delete(name);
      admit();
    }, linger);
    tenant.leaves.unref();
  }

  return async (name, work) => {
    const tenant = tenants.get(name) ?? { underWay: 0, waiting: [], notBefore: 0 };
    clearTimeout(tenant.leaves);
    tenants.set(name, tenant);
    await new Promise<void>((begin) => {
      tenant.waiting.push(begin);
      admit();
    });
    try {
      return await work();
    } finally {
      tenant.underWay -= 1;
      if (tenant.underWay === 0 && tenant.waiting.length === 0) leave(name, tenant);
      admit();
    }
  };
}
