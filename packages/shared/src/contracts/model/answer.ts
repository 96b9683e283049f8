import { z } from 'zod';
import { Filter } from './filter.ts';
import { DocumentId, Namespace, Span } from './ids.ts';
import { SearchHit } from './search.ts';

export const ChatTurn = z.strictObject({ role: z.enum(['user', 'assistant']), content: z.string().max(32_768) });
export type ChatTurn = z.infer<typeof ChatTurn>;

export const RagRequest = z
  .strictObject({
    question: z.string().trim().min(1, 'is empty').max(8192),
    history: z.array(ChatTurn).max(50).optional().describe('The conversation so far, oldest first.'),
    namespace: Namespace.default('default'),
    filter: Filter.optional(),
    topK: z.int().min(1).max(50).default(8).describe('How many passages are looked at.'),
    stream: z.boolean().default(false).describe('Answer with server-sent events.'),
    model: z.string().max(200).optional().describe('Language model; that of the service unless given.'),
  })
  .meta({ id: 'RagRequest' });
export type RagRequest = z.infer<typeof RagRequest>;

export const Citation = z
  .object({
    marker: z.string().describe('As it stands in the answer, such as `[1]`.'),
    chunkId: z.string(),
    documentId: DocumentId,
    page: z.int().optional(),
    span: Span,
    quote: z.string().describe("The document's own words at `span`."),
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
    grounded: z.boolean().describe('Every sentence is carried by what it cites.'),
    refused: z.boolean().describe('The evidence does not carry an answer; `answer` says what was missing.'),
    usage: TokenUsage,
    degraded: z.array(z.string()).optional().describe('Why the answer is less than what was asked for.'),
  })
  .meta({ id: 'Answer' });
export type Answer = z.infer<typeof Answer>;

export const AnswerSources = z
  .object({ answerId: z.string(), hits: z.array(SearchHit) })
  .meta({ id: 'AnswerSources', description: 'First: what was retrieved. Every citation is of one of these hits.' });
export type AnswerSources = z.infer<typeof AnswerSources>;

export const AnswerToken = z
  .object({ text: z.string() })
  .meta({ id: 'AnswerToken', description: 'A piece of the answer; all of them joined are `answer`.' });
export type AnswerToken = z.infer<typeof AnswerToken>;

/** An answer as it comes: sources, tokens, citations, and the whole at the end. */
export type AnswerEvent =
  | { event: 'sources'; data: AnswerSources }
  | { event: 'token'; data: AnswerToken }
  | { event: 'citation'; data: Citation }
  | { event: 'done'; data: Answer };
