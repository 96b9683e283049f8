/** Documents that one process accepts at the same time: disk and Redis wait, not the process. */
const placesAtOnce = 32;
/**
 * While several tenants are there, one document of those who have more than one is begun every so many milliseconds: 125
 * a second, which is more than workers on two cores take, and leaves them a part of the machine. Not fewer places, since
 * a blob store far away wants many.
 */
const paceMs = 8;
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
  /** Set while it has nothing to be accepted. */
  leaves?: NodeJS.Timeout;
}

const workOf = ({ underWay, waiting }: Tenant): number => underWay + waiting.length;

/**
 * A tenant that is alone has all places, at once. Where others are there, those that have something share the places and
 * begin at a pace, whoever has least under way first, and who has but one at once: so that one is found about as soon
 * beside somebody's thousands as alone. Within a tenant it is first come, first served.
 */
export function createTenantTurns({
  places = placesAtOnce,
  pace = paceMs,
  linger = lingerMs,
}: TurnOptions = {}): TenantTurns {
  const tenants = new Map<string, Tenant>();
  let timer: NodeJS.Timeout | undefined;
  let notBefore = 0;

  function admit(): void {
    clearTimeout(timer);
    for (let tenant = nextTenant(); tenant; tenant = nextTenant()) {
      if (workOf(tenant) > 1) {
        const now = performance.now();
        if (tenants.size > 1 && now < notBefore) {
          timer = setTimeout(admit, notBefore - now);
          return;
        }
        notBefore = now + pace;
      }
      tenant.underWay += 1;
      tenant.waiting.shift()?.();
    }
  }

  /** Whoever has but one, else whoever has least under way. */
  function nextTenant(): Tenant | undefined {
    const busy = [...tenants.values()].filter((tenant) => workOf(tenant) > 0);
    const share = Math.max(1, Math.floor(places / busy.length));
    const able = busy.filter(({ underWay, waiting }) => waiting.length > 0 && underWay < share);
    const single = able.find((tenant) => workOf(tenant) === 1);
    return single ?? able.toSorted((one, other) => one.underWay - other.underWay)[0];
  }

  function leave(name: string, tenant: Tenant): void {
    tenant.leaves = setTimeout(() => {
      tenants.delete(name);
      admit();
    }, linger);
    tenant.leaves.unref();
  }

  return async (name, work) => {
    const tenant = tenants.get(name) ?? { underWay: 0, waiting: [] };
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
      if (workOf(tenant) === 0) leave(name, tenant);
      admit();
    }
  };
}
