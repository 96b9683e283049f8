import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { bagOfWords, noise } from './fake-embedder.ts';

/** What the next request gets in place of an answer; `on` leaves requests of the other kind alone. */
export type OpenaiFault = { readonly on?: 'embeddings' | 'chat' } & (
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  /** Takes the request and says nothing; for chat, after the first word. */
  | { readonly kind: 'stall' }
  /** Closes the connection: after the first words of a chat, or in the middle of a body. */
  | { readonly kind: 'cut' }
  /** Ends a chat properly, but without the model having finished. */
  | { readonly kind: 'unfinished' }
  | { readonly kind: 'wrong-dimension' }
  | { readonly kind: 'wrong-count' }
  /** Sends headers and the first bytes of vectors, and no more. */
  | { readonly kind: 'stall-body' }
  /** An answer of 200 that is no JSON, as gateways give. */
  | { readonly kind: 'no-json' }
);

export interface OpenaiRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the client sent
  readonly body: any;
}

export interface OpenaiServer {
  /** Ends in `/v1`. */
  readonly url: string;
  readonly requests: readonly OpenaiRequest[];
  /** Each fault is for one request, in order. */
  failNext(...faults: OpenaiFault[]): void;
  /** Every request for embeddings of this model takes so long. */
  slowDown(model: string, ms: number): void;
  /** What the next chats are replied with, in order, in place of a quote. */
  replyNext(...texts: string[]): void;
  close(): Promise<void>;
}

/**
 * A server on 127.0.0.1 that speaks the parts of OpenAI's protocol that the service uses. Embeddings are bags of words
 * (64 numbers, or as many as a model `words-96` says, not normalised), of a model `noise…` directions that follow from the text as a whole; chat quotes the passage that shares the most words with the question and cites it,
 * replies `NO_ANSWER` where none does, and repeats the last message where there are no passages.
 */
export async function startOpenaiServer(): Promise<OpenaiServer> {
  const requests: OpenaiRequest[] = [];
  const faults: OpenaiFault[] = [];
  const slow = new Map<string, number>();
  const replies: string[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString() || '{}');
    requests.push({ path: request.url ?? '', authorization: request.headers.authorization, body });
    const mine = faults.findIndex(({ on }) => on === undefined || request.url?.startsWith(`/v1/${on}`));
    const [fault] = mine < 0 ? [] : faults.splice(mine, 1);
    if (fault?.kind === 'status') {
      response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
      response.end(JSON.stringify({ error: { message: 'injected', type: 'injected' } }));
    } else if (request.url === '/v1/embeddings') {
      await delay(slow.get(body.model) ?? 0);
      embeddings(body, response, fault);
    } else if (request.url === '/v1/chat/completions') chat(body, response, fault, replies.shift());
    else response.writeHead(404).end();
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    failNext: (...more) => void faults.push(...more),
    replyNext: (...texts) => void replies.push(...texts),
    slowDown: (model, ms) => void slow.set(model, ms),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function embeddings(
  body: { model: string; input: string | string[] },
  response: ServerResponse,
  fault: OpenaiFault | undefined,
): void {
  if (fault?.kind === 'stall') return;
  if (fault?.kind === 'no-json') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('<html>busy</html>');
    return;
  }
  const texts = [body.input].flat();
  const data = texts.map((text, index) => {
    const embedding = Array.from(vectorOf(body.model, text), (value) => value * 3);
    return {
      object: 'embedding',
      index,
      embedding: fault?.kind === 'wrong-dimension' ? embedding.slice(1) : embedding,
    };
  });
  if (fault?.kind === 'wrong-count') data.pop();
  const tokens = texts.join(' ').split(/\s+/).length;
  // Backwards: the protocol orders by `index`.
  const json = JSON.stringify({
    object: 'list',
    model: body.model,
    data: data.reverse(),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) });
  if (fault?.kind === 'cut') response.write(json.slice(0, 100), () => response.destroy());
  else if (fault?.kind === 'stall-body') response.write(json.slice(0, 100));
  else response.end(json);
}

const vectorOf = (model: string, text: string) =>
  model.startsWith('noise') ? noise(text) : bagOfWords(text, Number(/^words-(\d+)$/.exec(model)?.[1] ?? 64));

function chat(
  body: {
    model: string;
    messages: { content: string }[];
    stream?: boolean;
    stream_options?: { include_usage?: boolean };
  },
  response: ServerResponse,
  fault: OpenaiFault | undefined,
  scripted?: string,
): void {
  const prompt = body.messages.at(-1)?.content ?? '';
  const words = (scripted ?? reply(prompt)).split(/(?<= )/);
  const base = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 0, model: body.model };
  const usage = {
    prompt_tokens: prompt.split(/\s+/).length,
    completion_tokens: words.length,
    total_tokens: prompt.split(/\s+/).length + words.length,
  };
  if (!body.stream) {
    const message = { role: 'assistant', content: words.join('') };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...base, choices: [{ index: 0, message, finish_reason: 'stop' }], usage }));
    return;
  }
  const event = (fields: object) => `data: ${JSON.stringify({ ...base, ...fields })}\n\n`;
  const delta = (content: string) => event({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (fault?.kind === 'stall') response.write(delta(words[0]!));
  else if (fault?.kind === 'no-json') response.end('data: <html>busy</html>\n\n');
  else if (fault?.kind === 'cut') response.write(words.slice(0, 2).map(delta).join(''), () => response.destroy());
  else if (fault?.kind === 'unfinished') response.end(words.slice(0, 2).map(delta).join(''));
  else {
    for (const word of words) response.write(delta(word));
    response.write(event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }));
    if (body.stream_options?.include_usage) response.write(event({ choices: [], usage }));
    response.end('data: [DONE]\n\n');
  }
}

/** Reads the prompt of `rag/prompt.ts`: passages between tags, each with its number, then the question. */
function reply(prompt: string): string {
  const passages = [...prompt.matchAll(/<(passage-\w+)>\nnumber: (\d+)\n[^\n]*\n\n([\s\S]*?)\n<\/\1>/g)];
  const question = prompt.slice(prompt.lastIndexOf('Question: ') + 'Question: '.length);
  if (passages.length === 0) return prompt;
  const asked = contentWords(question);
  const sentences = passages.flatMap((match) =>
    match[3]!
      .split(/(?<=[.!?])\s+|\n+/)
      .filter((sentence) => /\w/.test(sentence) && !sentence.startsWith('#'))
      .map((sentence) => ({
        sentence,
        number: match[2]!,
        shared: [...contentWords(sentence)].filter((word) => asked.has(word)).length,
      })),
  );
  const best = sentences.reduce((a, b) => (b.shared > a.shared ? b : a), { sentence: '', number: '', shared: 0 });
  if (best.shared === 0) return 'NO_ANSWER: the passages say nothing about it.';
  return `${best.sentence.replace(/[.!?]*$/, '')} [${best.number}].`;
}

function contentWords(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu) ?? []);
}
