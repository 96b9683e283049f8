import type { Client } from '@semantic-memory/client/client';
import type { RagInput } from '@semantic-memory/client/inputs';
import type { Answer } from '@semantic-memory/shared/contracts/model/answer';
import { bold, dim, type Io, oneLine, printable } from './io.ts';

/** Prints the answer as it comes, then what it cites. */
export async function runAsk(client: Client, io: Io, request: RagInput, json: boolean): Promise<void> {
  if (json) return io.out(`${JSON.stringify(await client.rag(request, { signal: io.signal }), null, 2)}\n`);
  const titles = new Map<string, string>();
  for await (const { event, data } of client.streamRag(request, { signal: io.signal })) {
    if (event === 'sources') for (const hit of data.hits) titles.set(hit.chunkId, hit.title);
    if (event === 'token') io.out(printable(data.text));
    if (event === 'done') io.out(`\n${renderCitations(io, data, titles)}`);
  }
}

function renderCitations(io: Io, answer: Answer, titles: ReadonlyMap<string, string>): string {
  const lines = answer.citations.map(({ marker, chunkId, documentId, page, quote }) => {
    const title = titles.get(chunkId) ?? documentId;
    const place = `${documentId}${page === undefined ? '' : `, page ${page}`}`;
    const words = oneLine(quote);
    return `${marker} ${bold(io, oneLine(title))} ${dim(io, `(${place})`)}: “${words}”\n`;
  });
  const notes = [
    answer.refused && 'The documents do not carry an answer.',
    !answer.refused && !answer.grounded && 'Not every sentence is carried by what it cites.',
    answer.degraded?.length && `Degraded: ${answer.degraded.join(', ')}.`,
  ].filter((note) => typeof note === 'string');
  const list = lines.length > 0 ? `\n${lines.join('')}` : '';
  return `${list}${notes.map((note) => `${dim(io, note)}\n`).join('')}`;
}
