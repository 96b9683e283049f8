import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** What the model's package says about its model. */
export interface ModelCard {
  readonly name: string;
  /** Numbers in a vector. */
  readonly dimension: number;
  /** With the two control tokens. */
  readonly maxTokens: number;
  /** Goes before queries; passages get none. */
  readonly queryPrefix: string;
  readonly passagePrefix: string;
  readonly clsTokenId: number;
  readonly sepTokenId: number;
}

/** Where a file of the shipped model is on this machine. */
export function modelFile(
  name: 'model.onnx' | 'tokenizer.json' | 'model-card.json' | 'reference-vectors.json',
): string {
  return require.resolve(`@semantic-memory/model-bge-small-en-v1.5-int8/${name}`);
}

export function readModelCard(): ModelCard {
  return JSON.parse(readFileSync(modelFile('model-card.json'), 'utf8')) as ModelCard;
}
