/** A claim that was made longer ago belongs to a process that is gone. */
const claimLifeMs = 60 * 60_000;

/** Shows whose a range is, and since when. */
export const newClaim = (random: string, nowMs: number): string => `${nowMs.toString(36)}.${random}`;

/** Whether whoever made a claim can be taken for gone. One that does not say its age was made by an older release. */
export function isStale(claim: string, nowMs: number): boolean {
  const [made, random] = claim.split('.') as [string, string?];
  return random === undefined || nowMs - Number.parseInt(made, 36) > claimLifeMs;
}

/**
 * Which ordinals below `next` are active, or may become so: 1 by ordinal, else 0. A claim does not say how many chunks it
 * is for, so it reaches to the next range that is known.
 *
 * @param lengths by ordinal, 0 where not active; may end before `next`
 * @param claims bases of ranges that were given out and not switched on
 */
export function liveOrdinals(next: number, lengths: Uint16Array, claims: Iterable<number>): Uint8Array {
  const live = new Uint8Array(next);
  for (let ordinal = 0; ordinal < Math.min(next, lengths.length); ordinal += 1)
    live[ordinal] = lengths[ordinal] ? 1 : 0;
  const bases = [...claims].filter((base) => base < next).sort((a, b) => b - a);
  let end = next;
  for (const base of bases) {
    for (let ordinal = base; ordinal < end && live[ordinal] === 0; ordinal += 1) live[ordinal] = 1;
    end = base;
  }
  return live;
}

/** Postings that are live, or younger than what is known, in their order. */
export function keptOf(postings: Uint32Array, live: Uint8Array): Uint32Array {
  return postings.filter((posting) => {
    const ordinal = posting >>> 5;
    return ordinal >= live.length || live[ordinal] === 1;
  });
}
