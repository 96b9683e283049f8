/** What is wrong with the index, against the ledger: found by a reconcile that looks at it, and by no other. */
export const indexDriftKinds = [
  'missing_chunks',
  'vectors_missing',
  'orphan_chunks',
  'not_retired',
  'history_missing',
] as const;

/** Everything that a reconcile can find, each the label of the metric `index_drift`. */
export const driftKinds = [
  // What the ledger says, against the facts in the blob store.
  'job_missing',
  'end_unrecorded',
  'end_not_durable',
  'retry_unrecorded',
  'document_differs',
  'batch_missing',
  'model_differs',
  'marker_left',
  'aborted_left',
  'job_without_document',
  'damaged',
  // Deletes.
  'delete_unfinished',
  'written_after_delete',
  ...indexDriftKinds,
  'postings_missing',
  // What lies beside the documents.
  'webhook_unannounced',
  'upload_left',
] as const;
export type DriftKind = (typeof driftKinds)[number];

/** Counts what was found and put right. */
export interface Findings {
  /** What was found wrong, by kind. */
  readonly drift: { [Kind in DriftKind]?: number };
  checked: number;
  repaired: number;
  /** Documents that were put right, so that who meets one again in the same run does not count it twice. */
  readonly compared: Set<string>;
  /** @param repaired how many of the `count` were put right; all of them where absent */
  found(kind: DriftKind, count?: number, repaired?: number): void;
}

export function createFindings(): Findings {
  const findings: Findings = {
    drift: {},
    checked: 0,
    repaired: 0,
    compared: new Set(),
    found(kind, count = 1, repaired = count) {
      if (count > 0) findings.drift[kind] = (findings.drift[kind] ?? 0) + count;
      findings.repaired += repaired;
    },
  };
  return findings;
}
