/**
 * Things that wait, of several owners: the owners take turns, and within one the first that came is the first to go. Who
 * has nothing waiting loses no turn and saves none up.
 */
export class Turns<Item> {
  // Owners in the order of their turns: a Map keeps the order of insertion.
  readonly #waiting = new Map<string, Item[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(owner: string, items: readonly Item[]): void {
    if (items.length === 0) return;
    this.#waiting.set(owner, [...(this.#waiting.get(owner) ?? []), ...items]);
    this.#size += items.length;
  }

  /** The next one, of an owner that `mayGo` lets go; undefined where there is none. */
  next(mayGo: (owner: string) => boolean = () => true): Item | undefined {
    for (const [owner, items] of this.#waiting) {
      if (!mayGo(owner)) continue;
      const item = items.shift();
      this.#size -= 1;
      this.#waiting.delete(owner);
      // To the end of the line.
      if (items.length > 0) this.#waiting.set(owner, items);
      return item;
    }
    return undefined;
  }

  remove(owner: string, item: Item): void {
    const kept = (this.#waiting.get(owner) ?? []).filter((other) => other !== item);
    this.#size -= (this.#waiting.get(owner)?.length ?? 0) - kept.length;
    if (kept.length > 0) this.#waiting.set(owner, kept);
    else this.#waiting.delete(owner);
  }

  /** All that wait, which then wait no longer. */
  takeAll(): Item[] {
    const all = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    this.#size = 0;
    return all;
  }
}
