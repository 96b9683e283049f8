/** Documents that one process accepts at the same time: disk and Redis wait, not the process. */
const placesAtOnce = 32;
/** The same while several tenants send: what is under way is ahead of whoever comes next, with every write of its own. */
const sharedPlaces = 8;

/**
 * Runs a piece of work once it is its tenant's turn.
 * @throws what the work throws
 */
export type TenantTurns = <Result>(tenant: string, work: () => Promise<Result>) => Promise<Result>;

interface Tenant {
  underWay: number;
  readonly waiting: (() => void)[];
}

/**
 * A tenant that is alone has all places. Where others are there, few places are shared out equally, so that one document
 * is accepted about as fast beside somebody's thousands as alone. Within a tenant it is first come, first served.
 */
export function createTenantTurns(places = placesAtOnce, shared = sharedPlaces): TenantTurns {
  const tenants = new Map<string, Tenant>();

  function admit(): void {
    const share = tenants.size === 1 ? places : Math.max(1, Math.floor(shared / tenants.size));
    for (const tenant of tenants.values()) {
      while (tenant.underWay < share) {
        const begin = tenant.waiting.shift();
        if (!begin) break;
        tenant.underWay += 1;
        begin();
      }
    }
  }

  return async (name, work) => {
    const tenant = tenants.get(name) ?? { underWay: 0, waiting: [] };
    tenants.set(name, tenant);
    await new Promise<void>((begin) => {
      tenant.waiting.push(begin);
      admit();
    });
    try {
      return await work();
    } finally {
      tenant.underWay -= 1;
      if (tenant.underWay === 0 && tenant.waiting.length === 0) tenants.delete(name);
      admit();
    }
  };
}
