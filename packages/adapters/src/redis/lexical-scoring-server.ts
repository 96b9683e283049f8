import { scorePostings } from '@semantic-memory/shared/search/lexical/score-postings';
import type { ArrayRef, ScoringAnswer, ScoringMessage } from './lexical-scoring-protocol.ts';

/** What the scoring thread does with each message: it keeps the memory that is shared with it, and scores. */
export function createScoringServer(answer: (message: ScoringAnswer) => void): (message: ScoringMessage) => void {
  const memories = new Map<number, SharedArrayBuffer>();

  function arrayOf<Numbers>(
    ref: ArrayRef<Numbers>,
    Type: new (buffer: SharedArrayBuffer, byteOffset: number, length: number) => Numbers,
  ): Numbers {
    if ('numbers' in ref) return ref.numbers;
    const buffer = memories.get(ref.memory);
    if (!buffer) throw new Error(`memory ${ref.memory} was not shared`);
    return new Type(buffer, 0, ref.length);
  }

  function score({ id, task, lists, lengths }: Extract<ScoringMessage, { kind: 'score' }>): void {
    try {
      const result = scorePostings({
        ...task,
        lists: lists.map((ref) => arrayOf(ref, Uint32Array)),
        lengths: arrayOf(lengths, Uint16Array),
      });
      answer({ id, result });
    } catch (error) {
      answer({ id, message: (error as Error).message });
    }
  }

  return (message) => {
    if (message.kind === 'share') memories.set(message.memory, message.buffer);
    else if (message.kind === 'drop') memories.delete(message.memory);
    else score(message);
  };
}
