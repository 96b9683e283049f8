import { parentPort } from 'node:worker_threads';
import { scorePostings } from '@semantic-memory/shared/search/lexical/score-postings';
import type { ArrayRef, ScoringAnswer, ScoringMessage } from './lexical-scoring-protocol.ts';

/** Scores what it is sent, one after the other. Ends with the process that started it. */
const memories = new Map<number, SharedArrayBuffer>();
const answer = (message: ScoringAnswer) => parentPort?.postMessage(message);

parentPort?.on('message', (message: ScoringMessage) => {
  switch (message.kind) {
    case 'share':
      memories.set(message.memory, message.buffer);
      return;
    case 'drop':
      memories.delete(message.memory);
      return;
    case 'score':
      return score(message);
    default: {
      const never: never = message;
      throw new Error(`unknown message ${JSON.stringify(never)}`);
    }
  }
});

function score({ id, task, lists, lengths }: Extract<ScoringMessage, { kind: 'score' }>): void {
  try {
    const result = scorePostings({
      ...task,
      lists: lists.map((ref) => arrayOf(ref, Uint32Array)),
      lengths: arrayOf(lengths, Uint16Array),
    });
    answer({ id, result });
  } catch (error) {
    answer({ id, message: error instanceof Error ? error.message : String(error) });
  }
}

function arrayOf<Numbers>(
  ref: ArrayRef<Numbers>,
  Type: new (buffer: SharedArrayBuffer, byteOffset: number, length: number) => Numbers,
): Numbers {
  if ('numbers' in ref) return ref.numbers;
  const buffer = memories.get(ref.memory);
  if (!buffer) throw new Error(`memory ${ref.memory} was not shared`);
  return new Type(buffer, 0, ref.length);
}
