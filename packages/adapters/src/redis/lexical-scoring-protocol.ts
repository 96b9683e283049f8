import type { ScoringResult, ScoringTask } from '@semantic-memory/shared/search/lexical/score-postings';

/** An array of the task: a part of memory that the thread knows by its number, or the numbers themselves. */
export type ArrayRef<Numbers> = { readonly memory: number; readonly length: number } | { readonly numbers: Numbers };

export type ScoringMessage =
  | { readonly kind: 'share'; readonly memory: number; readonly buffer: SharedArrayBuffer }
  | { readonly kind: 'drop'; readonly memory: number }
  | {
      readonly kind: 'score';
      readonly id: number;
      readonly task: Omit<ScoringTask, 'lists' | 'lengths'>;
      readonly lists: readonly ArrayRef<Uint32Array>[];
      readonly lengths: ArrayRef<Uint16Array>;
    };

export type ScoringAnswer =
  | { readonly id: number; readonly result: ScoringResult }
  | { readonly id: number; readonly message: string };
