import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the endpoint behaves: as it should, or as model endpoints do on bad days. */
export type ModelFault = 'none' | 'rate-limited' | 'server-error' | 'stall' | 'cut' | 'slow';

export interface ModelEndpoint {
  /** Ends in `/v1`. */
  readonly url: string;
  readonly model: string;
  /** What the callers' keys are: workers embed passages, the API embeds queries. */
  readonly keys: { readonly worker: string; readonly api: string };
  /** Texts that workers had embedded, and how many different ones they were. */
  readonly embedded: () => { readonly texts: number; readonly different: number };
  set(fault: ModelFault): void;
  close(): Promise<void>;
}

const dimension = 256;
const slowMs = 3_000;

/** Embeddings over OpenAI's protocol that count every text they were asked for. A text's vector follows from its words. */
export async function startModelEndpoint(): Promise<ModelEndpoint> {
  const keys = { worker: 'key-of-the-workers', api: 'key-of-the-api' };
  const counts = new Map<string, number>();
  let total = 0;
  let fault: ModelFault = 'none';
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (fault === 'stall') return;
    if (fault === 'rate-limited' || fault === 'server-error') {
      const limited = fault === 'rate-limited';
      response.writeHead(limited ? 429 : 500, {
        'content-type': 'application/json',
        ...(limited ? { 'retry-after': '1' } : {}),
      });
      response.end(JSON.stringify({ error: { message: 'injected', type: 'injected' } }));
      return;
    }
    const body = JSON.parse(Buffer.concat(parts).toString()) as { model: string; input: string | string[] };
    const texts = [body.input].flat();
    if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, slowMs));
    if (request.headers.authorization === `Bearer ${keys.worker}`) {
      for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
      total += texts.length;
    }
    const data = texts.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text) }));
    const usage = { prompt_tokens: texts.length, total_tokens: texts.length };
    const json = JSON.stringify({ object: 'list', model: body.model, data, usage });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) });
    if (fault === 'cut') response.write(json.slice(0, json.length / 2), () => response.destroy());
    else response.end(json);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    model: 'words-256',
    keys,
    embedded: () => ({ texts: total, different: counts.size }),
    set: (next) => {
      fault = next;
      // Whoever waits for an answer that will not come learns it now.
      if (next === 'none') server.closeAllConnections();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Words hashed to directions and summed (Weinberger et al. 2009), hashed by FNV-1a. Never without direction. */
function vectorOf(text: string): number[] {
  const vector = new Array<number>(dimension).fill(0);
  vector[0] = 0.01;
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    let hash = 0x811c9dc5;
    for (let at = 0; at < word.length; at += 1) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193) >>> 0;
    for (const shift of [0, 9, 18]) {
      const place = (hash >>> shift) % dimension;
      vector[place] = (vector[place] ?? 0) + ((hash >>> (shift + 8)) % 2 === 0 ? 1 : -1);
    }
  }
  return vector;
}
