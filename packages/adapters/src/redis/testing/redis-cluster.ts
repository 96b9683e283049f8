import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';

const script = fileURLToPath(new URL('../../../../../scripts/test-redis-nodes.ts', import.meta.url));
/** The status of the script where no server can be had on this machine. */
const toolMissing = 3;

/** So many share the slots, and each has a replica. */
const owners = 3;
const allSlots = 16_384;
const withinMs = 30_000;

interface Node {
  readonly port: number;
  readonly busPort: number;
  readonly pid: number;
  readonly redis: Redis;
}

export interface RedisCluster {
  /** Of one of the nodes. */
  readonly url: string;
  /** The node that has the key's slot, once all that answer agree on it. */
  ownerOf(key: string): Promise<{ readonly port: number; readonly pid: number }>;
  /** Makes the replica of the node that has the key's slot its owner, in order and without losing a write. */
  handOver(key: string): Promise<void>;
  /** Has every node that answers change a setting. */
  configure(name: string, value: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a real cluster, empty, of three nodes with a replica each. It ends with this process, however that ends.
 * @returns why not, where this machine cannot have one
 */
export async function startRedisCluster(): Promise<RedisCluster | { readonly missing: string }> {
  const started = await startRedisNodes(2 * owners);
  if ('missing' in started) return started;
  const { nodes, stop } = started;
  await formCluster(nodes);

  async function ownerOf(key: string): Promise<Node> {
    const named = await Promise.allSettled(
      nodes.map(async ({ redis }) => {
        const slot = (await redis.call('CLUSTER', 'KEYSLOT', key)) as number;
        const ranges = (await redis.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
        return ranges.find(([from, to]) => from <= slot && slot <= to)?.[2][1];
      }),
    );
    const ports = new Set(named.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])));
    const owner = nodes.find(({ port }) => ports.has(port));
    if (owner && ports.size === 1) return owner;
    await delay(50);
    return ownerOf(key);
  }

  return {
    url: `redis+cluster://127.0.0.1:${nodes[0]?.port}`,
    ownerOf,
    async handOver(key) {
      const owner = await ownerOf(key);
      const id = await owner.redis.call('CLUSTER', 'MYID');
      const views = await everyView(nodes);
      const at = views.findIndex((view) =>
        view.some((line) => line.includes('myself,slave') && line.includes(`${id}`)),
      );
      await nodes[at]?.redis.call('CLUSTER', 'FAILOVER');
      await until(async () => (await ownerOf(key)).port !== owner.port);
    },
    async configure(name, value) {
      await Promise.allSettled(nodes.map(({ redis }) => redis.config('SET', name, value)));
    },
    stop,
  };
}

/** Starts nodes that know of no other yet and have no slots. */
export async function startRedisNodes(
  count: number,
): Promise<{ readonly nodes: readonly Node[]; stop(): Promise<void> } | { readonly missing: string }> {
  const child = spawn(process.execPath, ['--conditions=development', script, String(count)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text;
  });
  const [first] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>,
    exited,
  ]);
  if (typeof first !== 'string') {
    if (first === toolMissing) return { missing: said.trim() };
    throw new Error(`the nodes did not start (status ${first}): ${said}`);
  }
  const nodes = (JSON.parse(first) as Omit<Node, 'redis'>[]).map((node): Node => {
    const redis = new Redis(node.port, '127.0.0.1', { commandTimeout: 1000, maxRetriesPerRequest: 0 });
    // A test kills nodes.
    redis.on('error', () => {});
    return { ...node, redis };
  });
  return {
    nodes,
    async stop() {
      for (const { redis } of nodes) redis.disconnect();
      child.stdin.end();
      await exited;
    },
  };
}

async function formCluster(nodes: readonly Node[]): Promise<void> {
  const [first, ...others] = nodes as [Node, ...Node[]];
  for (const [at, { redis }] of nodes.slice(0, owners).entries()) {
    const [from, next] = [at, at + 1].map((share) => Math.floor((share * allSlots) / owners)) as [number, number];
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', from, next - 1);
    await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1);
  }
  for (const { port, busPort } of others) await first.redis.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
  const replicas = nodes.slice(owners);
  await until(async () => (await everyView(nodes)).every((view) => view.length === nodes.length));
  for (const [at, { redis }] of replicas.entries()) {
    await redis.call('CLUSTER', 'REPLICATE', (await nodes[at]?.redis.call('CLUSTER', 'MYID')) as string);
  }
  await until(async () => {
    const views = await everyView(nodes);
    const states = await Promise.all(nodes.map(({ redis }) => redis.cluster('INFO')));
    const links = await Promise.all(replicas.map(({ redis }) => redis.info('replication')));
    return (
      views.every((view) => view.filter((line) => line.includes('slave')).length === replicas.length) &&
      states.every((state) => String(state).includes('cluster_state:ok')) &&
      links.every((link) => link.includes('master_link_status:up'))
    );
  });
}

/** What each node knows of all of them, a line each. */
const everyView = (nodes: readonly Node[]): Promise<string[][]> =>
  Promise.all(
    nodes.map(async ({ redis }) =>
      String(await redis.call('CLUSTER', 'NODES'))
        .trim()
        .split('\n'),
    ),
  );

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`the cluster did not come to that within ${withinMs} ms`);
    await delay(50);
  }
}
