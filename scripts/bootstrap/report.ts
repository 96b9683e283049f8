import type { StageName } from '@semantic-memory/shared/contracts/model/job';

export interface DocumentReport {
  file: string;
  documentId?: string | undefined;
  jobId?: string | undefined;
  /** The job's, or `refused` where the service did not take it. */
  state: string;
  code?: string | undefined;
  /** From its acceptance to its end. */
  seconds: number;
  stageSeconds: Partial<Record<StageName, number>>;
  chunks: number;
  pages?: number | undefined;
  /** From 0 on; only where the truth is known. */
  characterErrorRate?: number | undefined;
}

export interface QueryReport {
  query: string;
  kind: string;
  wanted: string[];
  /** Files of the first hits, best first. */
  found: string[];
  ok: boolean;
}

export interface CountsReport {
  /** Chunks of all documents, as the ledger lists them one by one. */
  documentChunks: number;
  /** As the service counts them. */
  chunks: number;
  vectors: number;
  consistent: boolean;
}

/** Something that is not as it must be. */
export interface Discrepancy {
  kind: 'outcome' | 'pages' | 'ocr' | 'query' | 'counts' | 'missing';
  subject: string;
  message: string;
}

export interface Report {
  /** Nothing is off. */
  ok: boolean;
  source: string;
  seconds: number;
  documents: DocumentReport[];
  queries: QueryReport[];
  counts: CountsReport;
  discrepancies: Discrepancy[];
  /** Took longer than the stated limit. */
  slow: DocumentReport[];
  slowSeconds: number;
  logPath: string;
}
