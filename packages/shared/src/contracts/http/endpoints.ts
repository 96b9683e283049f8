import { adminDeadLetters, adminQueues, adminReconcile, adminRetryDeadLetter } from './admin.ts';
import { getBatch } from './batches.ts';
import * as documents from './documents.ts';
import type { Endpoint } from './endpoint.ts';
import { ingest, ingestBatch } from './ingest.ts';
import { cancelJob, getJob, jobEvents, listJobs, retryJob } from './jobs.ts';
import { rag, ragEvents } from './rag.ts';
import { adminReindex } from './reindex.ts';
import { search, searchBatch } from './search.ts';
import { stats } from './stats.ts';
import { adminExport, adminImport } from './transfer.ts';

/** Every route below the prefix, by its id: the server cannot be built while one lacks a handler. */
export const endpoints = {
  ingest,
  ingestBatch,
  getBatch,
  listJobs,
  getJob,
  jobEvents,
  cancelJob,
  retryJob,
  listDocuments: documents.listDocuments,
  getDocument: documents.getDocument,
  getDocumentChunks: documents.getDocumentChunks,
  getDocumentText: documents.getDocumentText,
  getDocumentContent: documents.getDocumentContent,
  getDocumentVersions: documents.getDocumentVersions,
  patchDocument: documents.patchDocument,
  deleteDocument: documents.deleteDocument,
  search,
  searchBatch,
  rag,
  ragEvents,
  stats,
  adminQueues,
  adminDeadLetters,
  adminRetryDeadLetter,
  adminReconcile,
  adminReindex,
  adminExport,
  adminImport,
} as const satisfies Record<string, Endpoint>;
