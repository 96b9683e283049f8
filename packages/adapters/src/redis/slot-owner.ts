import { connect as connectTcp, Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';

/*
 * A cluster as one server: all keys of an installation share a hash tag, so one node has them all, and an ordinary
 * connection to it can do what a connection to a single server can. See docs/adr/0021-one-slot-of-a-cluster.md.
 */

const clusterScheme = /^(rediss?)\+cluster:/;

/** A node that does not answer a question about the cluster for so long is left aside. */
const answerWithinMs = 1_000;

/** What ioredis needs to reach the server, or in a cluster the node, that has the keys of an installation. */
export interface RedisAddress {
  readonly url: string;
  readonly options: Pick<RedisOptions, 'Connector' | 'reconnectOnError'>;
}

/**
 * @param url `redis://` or `rediss://` of a server, or `redis+cluster://` or `rediss+cluster://` of any node of a cluster
 * @param prefix begins every key; in a cluster it has a hash tag, such as `{semantic-memory}`
 */
export function redisAddress(url: string, prefix: string): RedisAddress {
  if (!clusterScheme.test(url)) return { url, options: {} };
  return {
    url: url.replace(clusterScheme, '$1:'),
    options: {
      Connector: slotOwnerConnector(prefix),
      // The slot has moved, or its node has become a replica. Nothing was done: a connection that waits for itself, as the
      // workers', asks the new owner; of others whoever asked is told that Redis is away.
      reconnectOnError: (error) => (/^(MOVED|UNBLOCKED) /.test(error.message) ? 2 : false),
    },
  };
}

interface Node {
  readonly host: string;
  readonly port: number;
}

/** Connects to whichever node has the slot of a key when a connection is made. */
function slotOwnerConnector(key: string) {
  /** All nodes that were ever seen, the one of the address first: any that is left can tell of the others. */
  const nodes = new Map<string, Node>();

  return class SlotOwnerConnector extends AbstractConnector {
    readonly #options: RedisOptions;

    constructor(options: unknown) {
      const given = options as RedisOptions;
      super(given.disconnectTimeout as number);
      this.#options = given;
      remember({ host: given.host as string, port: given.port as number });
    }

    /** One that is a replica by now has no slot. */
    override check(info: { readonly role?: string }): boolean {
      return info.role === undefined || info.role === 'master';
    }

    /**
     * Where no node has ever told, it goes to the first one: what is wrong with that is then told as with a single server.
     * Later that would be a node like any other, which refuses what it is asked: then there is no connection for now.
     */
    override async connect() {
      this.connecting = true;
      const seeds = [...nodes.values()];
      const owner = await Promise.any(seeds.map((seed) => askForOwner(seed, this.#options))).catch(() => undefined);
      if (!this.connecting) throw new Error('Connection is closed.');
      if (!owner && seeds.length > 1) {
        // ioredis tries again after a connection that has ended, and never where it is given none.
        this.firstError = new Error('No node of the cluster tells who has the keys.');
        this.stream = new Socket().destroy();
        return this.stream;
      }
      const { host, port } = owner ?? (seeds[0] as Node);
      const tls = this.#options.tls as TlsOptions | undefined;
      this.stream = tls ? connectTls({ servername: host, ...tls, host, port }) : connectTcp({ host, port });
      this.stream.once('error', (error: Error) => {
        this.firstError = error;
      });
      return this.stream;
    }
  };

  function remember(node: Node): void {
    nodes.set(`${node.host}:${node.port}`, node);
  }

  /** @throws where the node does not answer, is in no cluster, or knows no owner */
  async function askForOwner(seed: Node, { tls, username, password }: RedisOptions): Promise<Node> {
    const redis = new Redis({
      ...seed,
      ...(tls ? { tls } : {}),
      ...(username ? { username } : {}),
      ...(password ? { password } : {}),
      connectionName: 'find-slot',
      connectTimeout: answerWithinMs,
      commandTimeout: answerWithinMs,
      maxRetriesPerRequest: 0,
      retryStrategy: null,
      enableReadyCheck: false,
    });
    // Told by the commands, too.
    redis.on('error', () => {});
    try {
      const [slot, ranges] = await Promise.all([
        redis.call('CLUSTER', 'KEYSLOT', key) as Promise<number>,
        redis.call('CLUSTER', 'SLOTS') as Promise<SlotRange[]>,
      ]);
      // Nodes may leave out the address at which they were asked.
      const asNode = ([host, port]: SlotNode): Node => ({ host: host || seed.host, port });
      for (const [, , ...ofRange] of ranges) for (const node of ofRange) remember(asNode(node));
      const range = ranges.find(([first, last]) => first <= slot && slot <= last);
      if (!range) throw new Error(`No node of the cluster has slot ${slot}.`);
      return asNode(range[2]);
    } finally {
      redis.disconnect();
    }
  }
}

/** https://redis.io/docs/latest/commands/cluster-slots/ */
type SlotNode = [host: string | null, port: number, ...rest: unknown[]];
type SlotRange = [first: number, last: number, owner: SlotNode, ...replicas: SlotNode[]];
