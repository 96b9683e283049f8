import type { ErrorCode } from '../errors.ts';

/** The one map from error codes to HTTP. Faults of a document only reach HTTP where a request is about that document. */
export const errorStatus = {
  invalid_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  request_too_large: 413,
  unsupported_media_type: 415,
  unprocessable: 422,
  worse_model: 422,
  rate_limited: 429,
  unsupported_type: 415,
  empty_document: 422,
  encrypted_document: 422,
  corrupt_document: 422,
  too_large: 413,
  too_many_pages: 422,
  limits_exceeded: 422,
  no_text_found: 422,
  fetch_failed: 422,
  fetch_forbidden: 422,
  poison_document: 422,
  embedding_rejected: 422,
  dependency_unavailable: 503,
  rebuilding: 503,
  // Only where the caller went away, or the service is ending: nobody else sees it.
  cancelled: 503,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;
