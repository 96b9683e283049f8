import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Reranker } from '@semantic-memory/shared/ports/reranker';
import { type BreakerState, createBreaker, type Verdict } from '../breaker/breaker.ts';

export interface RerankEndpoint {
  /** With the path up to `/rerank`, like `https://api.cohere.com/v2`. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey?: string | undefined;
  /** The longest that a search waits for it. */
  readonly timeoutMs: number;
  readonly onBreakerState?: ((state: BreakerState) => void) | undefined;
}

/** As many passages as most endpoints take in one call, and as a cross-encoder reads in a moment. */
const depth = 50;
/** Scores are from 0 to 1: so much that the reranker decides, and the fusion only among those it likes alike. */
const weight = 4;
const openMs = 2_000;
/** Somebody has to change the configuration first. */
const configurationMs = 20_000;
/** An endpoint that asks for more time is asked again after this. */
const maxPauseMs = 60_000;
/** Fifty scores are a few kilobytes, also where the texts are sent back. */
const maxAnswerBytes = 8 * 2 ** 20;

class RerankerAway extends MemoryError {
  readonly verdict: Verdict;
  readonly pauseMs: number;

  constructor(message: string, verdict: Verdict, pauseMs: number, more: { cause?: unknown; hint?: string } = {}) {
    super('dependency_unavailable', message, { retry: { kind: 'wait', afterMs: pauseMs }, ...more });
    this.verdict = verdict;
    this.pauseMs = pauseMs;
  }
}

/**
 * A reranker behind `POST {base}/rerank {model, query, documents, top_n}`, the way of Cohere, Jina, Voyage and of the
 * servers that speak like them (vLLM, llama.cpp, Infinity).
 *
 * Every failure is `dependency_unavailable`: the search goes on without. Answers of the server are no cause of errors
 * that are logged, since they may quote the passages.
 */
export function createEndpointReranker(options: RerankEndpoint): Reranker {
  const url = `${options.baseUrl.replace(/\/+$/, '')}/rerank`;
  const breaker = createBreaker({
    verdictOf: (error) => (error instanceof RerankerAway ? error.verdict : 'answered'),
    // Nothing else opens it.
    openMs: (error) => (error as RerankerAway).pauseMs,
    onState: options.onBreakerState,
    describe: (error) => error as RerankerAway,
  });

  async function ask(query: string, documents: readonly string[], signal: AbortSignal | undefined): Promise<unknown> {
    const deadline = AbortSignal.timeout(options.timeoutMs);
    try {
      const response = await fetch(url, {
        method: 'POST',
        // A key goes to the configured host only.
        redirect: 'manual',
        headers: {
          'content-type': 'application/json',
          ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
        },
        body: JSON.stringify({ model: options.model, query, documents, top_n: documents.length }),
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw refusal(response.status, response.headers.get('retry-after'));
      }
      return JSON.parse(await bodyOf(response));
    } catch (cause) {
      if (cause instanceof RerankerAway) throw cause;
      if (signal?.aborted) throw signal.reason;
      if (deadline.aborted) throw new RerankerAway('The reranker did not answer in time.', 'gone', openMs, { cause });
      throw new RerankerAway('The connection to the reranker was lost.', 'failed', openMs, { cause });
    }
  }

  return {
    depth,
    weight,
    suits: () => true,
    rerank: async ({ text }, passages, signal) => {
      const documents = passages.map(({ title, text: passage }) => (title === '' ? passage : `${title}\n${passage}`));
      return { scores: await breaker.run(async () => scoresOf(await ask(text, documents, signal), documents.length)) };
    },
  };
}

function scoresOf(answer: unknown, count: number): (number | undefined)[] {
  const { results } = (answer ?? {}) as { results?: unknown };
  const scores = new Array<number | undefined>(count).fill(undefined);
  for (const result of Array.isArray(results) ? results : [undefined]) {
    const { index, relevance_score: score } = (result ?? {}) as { index?: unknown; relevance_score?: unknown };
    if (!Number.isInteger(index) || !Number.isFinite(score) || !((index as number) in scores)) throw unusable();
    scores[index as number] = score as number;
  }
  return scores;
}

const unusable = () =>
  new RerankerAway("The reranker's answer cannot be used.", 'failed', openMs, {
    hint: 'Check that RERANK_BASE_URL is the address up to /rerank, and RERANK_MODEL one of its models.',
  });

function refusal(status: number, retryAfter: string | null): RerankerAway {
  const hint = 'Check RERANK_BASE_URL, RERANK_MODEL and RERANK_API_KEY.';
  if ([301, 302, 307, 308, 401, 403, 404].includes(status))
    return new RerankerAway(`The reranker refuses the request (status ${status}).`, 'gone', configurationMs, { hint });
  if (status === 429 || status === 503) {
    const asked = Number(retryAfter ?? Number.NaN) * 1000;
    const pauseMs = Number.isFinite(asked) ? Math.min(Math.max(asked, 1), maxPauseMs) : openMs;
    return new RerankerAway('The reranker asks to be called less often.', 'gone', pauseMs);
  }
  // It is there, and does not like this very input.
  const verdict = status < 500 ? 'answered' : 'failed';
  return new RerankerAway(`The reranker fails (status ${status}).`, verdict, openMs, { hint });
}

async function bodyOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  // Fetch gives an answer of this status a body, be it an empty one.
  for await (const part of response.body!) {
    bytes += part.byteLength;
    if (bytes > maxAnswerBytes) throw new RangeError(`the answer is longer than ${maxAnswerBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
