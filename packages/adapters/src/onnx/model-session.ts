import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { TokenRows } from './embedding-protocol.ts';
import { matmulModel } from './matmul-model.ts';
import { readFloats } from './model-card.ts';

/** The bare model: token ids in, unit vector out. Blocks the event loop while it computes. */
export interface ModelSession {
  embed(tokenIds: Int32Array): Promise<Float32Array>;
  /**
   * The same run, and a vector for each token but the first `skip` and the last.
   * @throws where the session was made without a projection
   */
  embedTokens(tokenIds: Int32Array, skip: number): Promise<{ vector: Float32Array; tokens: TokenRows }>;
}

/** What makes short vectors of the model's hidden states: a file of little-endian floats, row-major. */
export interface Projection {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

const options: InferenceSession.SessionOptions = {
  executionMode: 'sequential',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  enableMemPattern: false,
};

/**
 * One thread a session and one text a run: the int8 model scales activations per tensor, so what shares a batch
 * changes a text's vector; processes, not threads, use the cores.
 * `enableMemPattern` plans memory for one shape at a time; lengths differ from text to text, so it only costs (20 MB).
 */
export async function loadModelSession(modelPath: string, projection?: Projection): Promise<ModelSession> {
  const session = await InferenceSession.create(modelPath, options);
  // A session of its own: in plain JavaScript a text of 256 tokens would take 10 ms more.
  const projector = projection && (await InferenceSession.create(projectionModel(projection), options));

  async function hiddenStates(tokenIds: Int32Array): Promise<Tensor> {
    const shape = [1, tokenIds.length];
    const outputs = await session.run({
      input_ids: new Tensor('int64', BigInt64Array.from(tokenIds, BigInt), shape),
      attention_mask: new Tensor('int64', new BigInt64Array(tokenIds.length).fill(1n), shape),
      token_type_ids: new Tensor('int64', new BigInt64Array(tokenIds.length), shape),
    });
    return outputs.last_hidden_state!;
  }

  return {
    embed: async (tokenIds) => pooled(await hiddenStates(tokenIds)),
    embedTokens: async (tokenIds, skip) => {
      if (!projector) throw new Error('There is no projection of the token vectors.');
      const hidden = await hiddenStates(tokenIds);
      const vector = pooled(hidden);
      const width = hidden.dims[2]!;
      const count = Math.max(tokenIds.length - skip - 1, 0);
      if (count === 0) return { vector, tokens: { values: new Int8Array(), scales: new Float32Array() } };
      const states = (hidden.data as Float32Array).subarray(skip * width, (skip + count) * width);
      const { y } = await projector.run({ x: new Tensor('float32', states, [count, width]) });
      return { vector, tokens: quantised(y!.data as Float32Array, count) };
    },
  };
}

function projectionModel({ path, from, to }: Projection): Uint8Array {
  return matmulModel(readFloats(path, from * to), from, to);
}

/** The first token speaks for the whole text. */
const pooled = (hidden: Tensor): Float32Array => unitVector((hidden.data as Float32Array).slice(0, hidden.dims[2]));

/**
 * Rows scaled to length 1, as int8 with a scale each. A projection is linear: what its rows' lengths were before does
 * not matter.
 */
function quantised(rows: Float32Array, count: number): TokenRows {
  const width = rows.length / count;
  const values = new Int8Array(rows.length);
  const scales = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    const start = row * width;
    let squares = 0;
    let largest = 0;
    for (let i = start; i < start + width; i++) {
      const value = rows[i]!;
      squares += value * value;
      const size = value < 0 ? -value : value;
      if (size > largest) largest = size;
    }
    if (largest === 0) continue;
    const steps = 127 / largest;
    // Rounds half up: Math.round does the same, slower.
    for (let i = start; i < start + width; i++) values[i] = Math.floor(rows[i]! * steps + 0.5);
    scales[row] = largest / (127 * Math.sqrt(squares));
  }
  return { values, scales };
}

/** Scales to length 1, in place. */
function unitVector(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! / length;
  return vector;
}
