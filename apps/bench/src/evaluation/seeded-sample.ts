import { createRandom } from '../seeded-text.ts';

/** The items in an order that the seed decides (Fisher and Yates). */
export function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const random = createRandom(seed);
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] as Item, order[last] as Item];
  }
  return order;
}

/** At most `count` of the items, in their own order; which, the seed decides. */
export function seededSample<Item>(items: readonly Item[], count: number, seed: number): Item[] {
  if (items.length <= count) return [...items];
  const indexes = items.map((_, index) => index);
  const chosen = new Set(shuffled(indexes, seed).slice(0, count));
  return items.filter((_, index) => chosen.has(index));
}
