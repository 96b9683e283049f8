import type { Client } from '@semantic-memory/client/client';
import type { SearchInput } from '@semantic-memory/client/inputs';
import type { SearchHit } from '@semantic-memory/shared/contracts/model/search';
import { bold, dim, type Io, oneLine, printable } from './io.ts';

const snippetLength = 320;

/** Prints what was found, best first. */
export async function runSearch(client: Client, io: Io, request: SearchInput, json: boolean): Promise<void> {
  const response = await client.search(request, { signal: io.signal });
  if (json) return io.out(`${JSON.stringify(response, null, 2)}\n`);
  for (const [index, hit] of response.hits.entries()) io.out(`${renderHit(io, hit, index + 1)}\n`);
  const degraded = response.degraded?.length ? `, degraded: ${response.degraded.join(', ')}` : '';
  const count = response.hits.length === 0 ? 'nothing found' : `${response.hits.length} found`;
  io.out(dim(io, `${count} (${response.mode}, ${response.tookMs.toFixed(0)} ms${degraded})`));
  io.out('\n');
}

/** One hit: where it stands, then the passage around its first highlight. */
function renderHit(io: Io, hit: SearchHit, rank: number): string {
  const place = [hit.page === undefined ? '' : `page ${hit.page}`, ...hit.headings].filter(Boolean).join(' › ');
  const head = `${String(rank).padStart(2)}. ${bold(io, oneLine(hit.title))}  ${hit.similarity.toFixed(3)}`;
  const source = dim(io, `    ${hit.documentId}${place ? `, ${oneLine(place)}` : ''}`);
  return `${head}\n${source}\n${indent(renderSnippet(io, hit))}\n`;
}

/** Highlights point into the document's text, as `span` does; what lies outside of the passage is left out. */
function renderSnippet(io: Io, hit: SearchHit): string {
  const marks = hit.highlights
    // The words of a sentence that matches: a sentence in bold tells less.
    .flatMap((mark) => (mark.terms?.length ? mark.terms : [mark]))
    .map(({ start, end }) => ({ start: start - hit.span.start, end: end - hit.span.start }))
    .filter(({ start, end }) => start >= 0 && end <= hit.text.length)
    .sort((a, b) => a.start - b.start);
  const first = marks[0]?.start ?? 0;
  const from = first < snippetLength / 2 ? 0 : wordStart(hit.text, first - snippetLength / 4);
  const to = Math.min(hit.text.length, from + snippetLength);
  let text = '';
  let at = from;
  for (const { start, end } of marks) {
    if (start < at || end > to) continue;
    text += printable(hit.text.slice(at, start)) + bold(io, printable(hit.text.slice(start, end)));
    at = end;
  }
  text += printable(hit.text.slice(at, to));
  return `${from > 0 ? '…' : ''}${text.trim()}${to < hit.text.length ? '…' : ''}`;
}

function wordStart(text: string, at: number): number {
  const space = text.lastIndexOf(' ', at);
  return space < 0 ? at : space + 1;
}

function indent(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => `    ${line}`)
    .join('\n');
}
