import { pipeline } from 'node:stream/promises';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { DocumentId } from '@semantic-memory/shared/contracts/model/ids';
import { removeDocument } from '@semantic-memory/shared/ingest/remove';
import { patchDocument } from '@semantic-memory/shared/ingest/versions/patch-document';
import { openContent, readChunks, readText } from '@semantic-memory/shared/ingest/versions/read-document';
import type { ApiDeps } from '../api-deps.ts';
import { documentView, versionViews } from '../document-view.ts';
import { type Handlers, ok, type RequestContext } from '../endpoint-handler.ts';

type DocumentHandlers = Pick<
  Handlers,
  | 'listDocuments'
  | 'getDocument'
  | 'getDocumentChunks'
  | 'getDocumentText'
  | 'getDocumentContent'
  | 'getDocumentVersions'
  | 'patchDocument'
  | 'deleteDocument'
>;

export function documentHandlers(deps: ApiDeps): DocumentHandlers {
  return {
    async listDocuments({ tenant }, { query }) {
      const { items, nextCursor } = await deps.ledger.listDocuments(tenant, query);
      return ok({ items: items.map(documentView), ...(nextCursor === undefined ? {} : { nextCursor }) });
    },
    getDocument: async ({ tenant }, { params }) => ok(documentView(await known(deps, tenant, params.documentId))),
    async getDocumentVersions({ tenant }, { params }) {
      return ok({ items: versionViews(await known(deps, tenant, params.documentId)) });
    },
    async getDocumentChunks({ tenant }, { params, query }) {
      const { documentId } = validId(params);
      const { version, limit, cursor } = query;
      return ok(await readChunks(deps, tenant, documentId, version, { limit, ...(cursor ? { cursor } : {}) }));
    },
    async getDocumentText({ tenant, response }, { params, query }) {
      const text = await readText(deps, tenant, validId(params).documentId, query.version);
      response.setHeader('content-type', 'text/markdown; charset=utf-8');
      response.setHeader('content-length', Buffer.byteLength(text));
      response.end(text);
      return 'written';
    },
    getDocumentContent: (context, { params, query }) =>
      sendContent(deps, context, validId(params).documentId, query.version),
    async patchDocument({ tenant }, { params, body }) {
      const { documentId } = validId(params);
      const patched = await patchDocument(deps, tenant, documentId, body);
      if (!patched) throw unknownDocument();
      return ok(documentView(patched));
    },
    async deleteDocument({ tenant }, { params }) {
      const { documentId } = validId(params);
      // Before and after: an answer that began in between may still have found it.
      await deps.answerLog.forgetDocument(tenant, documentId);
      const receipt = await removeDocument(deps, tenant, documentId);
      await deps.answerLog.forgetDocument(tenant, documentId);
      return ok(receipt);
    },
  };
}

const unknownDocument = () => new MemoryError('not_found', 'There is no such document.');

/** What cannot be a document's id is nobody's, and never reaches a key of any store. */
function validId(params: { readonly documentId: string }): { readonly documentId: string } {
  if (!DocumentId.safeParse(params.documentId).success) throw unknownDocument();
  return params;
}

async function known(deps: ApiDeps, tenant: string, documentId: string) {
  const document = await deps.ledger.getDocument(tenant, validId({ documentId }).documentId);
  if (!document) throw unknownDocument();
  return document;
}

/** The original as a download: a document is foreign, and must not run as a page of this origin. */
async function sendContent(
  deps: ApiDeps,
  { tenant, request, response, signal }: RequestContext,
  documentId: string,
  version: number | undefined,
) {
  const content = await openContent(deps, tenant, documentId, version);
  response.setHeader('content-type', content.mediaType);
  response.setHeader('content-length', content.bytes);
  // RFC 6266 section 4.3, the form for any character.
  const name = encodeURIComponent((content.filename ?? documentId).toWellFormed()).replaceAll(
    /['()*]/g,
    percentEncoded,
  );
  response.setHeader('content-disposition', `attachment; filename*=UTF-8''${name}`);
  response.setHeader('content-security-policy', "default-src 'none'; sandbox");
  if (request.method === 'HEAD') {
    await content.stream[Symbol.asyncIterator]().return?.();
    response.end();
    return 'written' as const;
  }
  await pipeline(content.stream, response, { signal });
  return 'written' as const;
}

const percentEncoded = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
