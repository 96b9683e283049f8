/** A value with the revision that a compare-and-set compares. The server reads only the part before the first space. */
export interface Revisioned<Value> {
  readonly revision: string;
  readonly value: Value;
}

/** `REVISION JSON`; undefined where there is none. */
export function parseRevisioned<Value>(stored: string | null | undefined): Revisioned<Value> | undefined {
  if (!stored) return undefined;
  const space = stored.indexOf(' ');
  return { revision: stored.slice(0, space), value: JSON.parse(stored.slice(space + 1)) };
}

/** `REVISION EVENT_ID JSON`. */
export function parseWithEvent<Value>(
  stored: string | null | undefined,
): (Revisioned<Value> & { readonly eventId: string }) | undefined {
  if (!stored) return undefined;
  const first = stored.indexOf(' ');
  const second = stored.indexOf(' ', first + 1);
  return {
    revision: stored.slice(0, first),
    eventId: stored.slice(first + 1, second),
    value: JSON.parse(stored.slice(second + 1)),
  };
}
