/** A stretch of a document's text, in UTF-16 code units; `end` is the first that is not of it. */
export interface Stretch {
  readonly documentId: string;
  readonly start: number;
  readonly end: number;
}

/**
 * How much of the text that answers a question lies in the retrieved chunks, and how much of these it is (Smith and
 * Troynikov, "Evaluating Chunking Strategies for Retrieval", Chroma 2024, there by token, here by character).
 * @param retrieved chunks, best first
 * @param relevant the text that answers; stretches may overlap and count once
 * @returns recall 0 to 1, NaN where nothing is relevant; precision 0 to 1 of all that is read, what chunks repeat included
 */
export function spanScores(
  retrieved: readonly Stretch[],
  relevant: readonly Stretch[],
): { readonly recall: number; readonly precision: number } {
  const wanted = merged(relevant);
  const got = merged(retrieved);
  let found = 0;
  for (const one of wanted) for (const other of got) found += overlap(one, other);
  const read = totalLength(retrieved);
  return { recall: found / totalLength(wanted), precision: read === 0 ? 0 : found / read };
}

/** The same text as stretches that do not overlap. */
function merged(stretches: readonly Stretch[]): Stretch[] {
  const result: Stretch[] = [];
  const ordered = stretches.toSorted(
    (a, b) => a.documentId.localeCompare(b.documentId) || a.start - b.start || a.end - b.end,
  );
  for (const stretch of ordered) {
    const last = result.at(-1);
    if (last?.documentId === stretch.documentId && stretch.start <= last.end) {
      result[result.length - 1] = { ...last, end: Math.max(last.end, stretch.end) };
    } else result.push(stretch);
  }
  return result;
}

function overlap(one: Stretch, other: Stretch): number {
  if (one.documentId !== other.documentId) return 0;
  return Math.max(0, Math.min(one.end, other.end) - Math.max(one.start, other.start));
}

const totalLength = (stretches: readonly Stretch[]) =>
  stretches.reduce((length, { start, end }) => length + end - start, 0);
