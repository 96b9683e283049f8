import { z } from 'zod';
import { Filter } from './filter.ts';
import { DocumentId, Namespace, Span } from './ids.ts';
import { SearchHit } from './search.ts';

export const ChatTurn = z.strictObject({ role: z.enum(['user', 'assistant']), content: z.string().max(32_768) });
export type ChatTurn = z.infer<typeof ChatTurn>;

export const RagRequest = z
  .strictObject({
    question: z.string().trim().min(1, 'is empty').max(8192),
    history: z.array(ChatTurn).max(50).optional(),
    namespace: Namespace.default('default'),
    filter: Filter.optional(),
    topK: z.int().min(1).max(50).default(8),
    stream: z.boolean().default(false),
    model: z.string().max(200).optional(),
  })
  .meta({ id: 'RagRequest' });
export type RagRequest = z.infer<typeof RagRequest>;

export const Citation = z
  .object({
    /** As it stands in the answer, such as `[1]`. */
    marker: z.string(),
    chunkId: z.string(),
    documentId: DocumentId,
    page: z.int().optional(),
    span: Span,
    /** The document's own words at `span`. */
    quote: z.string(),
  })
  .meta({ id: 'Citation' });
export type Citation = z.infer<typeof Citation>;

export const TokenUsage = z
  .object({ model: z.string(), promptTokens: z.int(), completionTokens: z.int() })
  .meta({ id: 'TokenUsage' });
export type TokenUsage = z.infer<typeof TokenUsage>;

export const Answer = z
  .object({
    answer: z.string(),
    citations: z.array(Citation),
    /** Every sentence is carried by what it cites. */
    grounded: z.boolean(),
    /** The evidence does not carry an answer; `answer` says what was missing. */
    refused: z.boolean(),
    usage: TokenUsage,
    degraded: z.array(z.string()).optional(),
  })
  .meta({ id: 'Answer' });
export type Answer = z.infer<typeof Answer>;

/** First: what was retrieved. Every citation is of one of these hits. */
export const AnswerSources = z.object({ answerId: z.string(), hits: z.array(SearchHit) }).meta({ id: 'AnswerSources' });
export type AnswerSources = z.infer<typeof AnswerSources>;

/** A piece of the answer; all of them joined are `answer`. */
export const AnswerToken = z.object({ text: z.string() }).meta({ id: 'AnswerToken' });
export type AnswerToken = z.infer<typeof AnswerToken>;

/** An answer as it comes: sources, tokens, citations, and the whole at the end. */
export type AnswerEvent =
  | { event: 'sources'; data: AnswerSources }
  | { event: 'token'; data: AnswerToken }
  | { event: 'citation'; data: Citation }
  | { event: 'done'; data: Answer };
