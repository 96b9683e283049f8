import type { Client } from '@semantic-memory/client/client';
import type { DocumentsQuery } from '@semantic-memory/client/inputs';
import type { Document } from '@semantic-memory/shared/contracts/model/document';
import { bold, type Io, oneLine, printable } from './io.ts';

/** Prints the documents, newest first; with `--json` as one list. */
export async function runList(client: Client, io: Io, query: DocumentsQuery, json: boolean): Promise<void> {
  const documents: Document[] = [];
  for await (const document of client.allDocuments({ ...query, limit: 100, signal: io.signal })) {
    if (json) documents.push(document);
    else io.out(renderDocument(document));
  }
  if (json) io.out(`${JSON.stringify(documents, null, 2)}\n`);
}

export async function runShow(client: Client, io: Io, id: string, json: boolean): Promise<void> {
  const document = await client.document(id, { signal: io.signal });
  if (json) return io.out(`${JSON.stringify(document, null, 2)}\n`);
  io.out(`${bold(io, oneLine(document.title))}\n`);
  for (const [name, value] of Object.entries(document)) {
    if (name === 'title' || name === 'links') continue;
    io.out(`  ${name.padEnd(10)} ${oneLine(typeof value === 'object' ? JSON.stringify(value) : String(value))}\n`);
  }
}

export async function runText(client: Client, io: Io, id: string, json: boolean): Promise<void> {
  const text = await client.text(id, { signal: io.signal });
  io.out(json ? `${JSON.stringify({ documentId: id, text })}\n` : `${printable(text)}\n`);
}

export async function runDelete(client: Client, io: Io, id: string, json: boolean): Promise<void> {
  const receipt = await client.delete(id, { signal: io.signal });
  if (json) return io.out(`${JSON.stringify(receipt, null, 2)}\n`);
  io.out(`deleted ${receipt.documentId}: ${receipt.removed.chunks} chunks, ${receipt.removed.blobs} stored objects\n`);
}

function renderDocument({ state, id, title, chunks, pages, version }: Document): string {
  const size = `${chunks} chunks${pages === undefined ? '' : `, ${pages} pages`}`;
  return `${state.padEnd(8)} ${id}  ${oneLine(title)}  (version ${version}, ${size})\n`;
}
