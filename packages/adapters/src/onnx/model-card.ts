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
  readonly vocabularySize: number;
  readonly lateInteraction: {
    /** Numbers in a token's vector. */
    readonly dimension: number;
    /** The file with what projects a token's hidden state (row-major, `dimension` of the model × this one's). */
    readonly projection: string;
    /** The file with what a query's token counts, by its id. */
    readonly tokenWeights: string;
  };
}

/** Where a file of the shipped model is on this machine. */
export function modelFile(name: string): string {
  return require.resolve(`@semantic-memory/model-bge-small-en-v1.5-int8/${name}`);
}

export function readModelCard(): ModelCard {
  return JSON.parse(readFileSync(modelFile('model-card.json'), 'utf8')) as ModelCard;
}

/** A file of little-endian 32-bit floats. @throws where its length is another */
export function readFloats(path: string, count: number): Float32Array {
  const bytes = readFileSync(path);
  if (bytes.byteLength !== count * 4) throw new Error(`${path} has ${bytes.byteLength} bytes and not ${count * 4}.`);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
