import type { Redis } from 'ioredis';

/**
 * One page of records, newest first, from an index sorted by name (`CREATED_AT|ID…`).
 * Reads on where `load` leaves records out that do not match, until the page is full.
 * @param load the records of index members, in order; undefined for those that do not match
 */
export async function readPage<Item>(
  redis: Redis,
  index: string,
  query: { readonly limit: number; readonly cursor?: string | undefined },
  load: (members: readonly string[]) => Promise<(Item | undefined)[]>,
): Promise<{ items: Item[]; nextCursor?: string }> {
  const found: { member: string; item: Item }[] = [];
  // A short page of records that seldom match is not worth many round trips.
  const atOnce = Math.max(query.limit + 1, 100);
  let after = query.cursor;
  while (found.length <= query.limit) {
    const members = await redis.zrevrangebylex(index, after === undefined ? '+' : `(${after}`, '-', 'LIMIT', 0, atOnce);
    if (members.length === 0) break;
    const items = await load(members);
    members.forEach((member, at) => {
      const item = items[at];
      if (item !== undefined) found.push({ member, item });
    });
    if (members.length < atOnce) break;
    after = members.at(-1);
  }
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    ...(last && found.length > page.length ? { nextCursor: last.member } : {}),
  };
}
