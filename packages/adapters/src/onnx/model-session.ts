import { InferenceSession, Tensor } from 'onnxruntime-node';

/** The bare model: token ids in, unit vector out. Blocks the event loop while it computes. */
export interface ModelSession {
  embed(tokenIds: Int32Array): Promise<Float32Array>;
}

/**
 * One thread a session and one text a run: the int8 model scales activations per tensor, so what shares a batch
 * changes a text's vector; processes, not threads, use the cores.
 * `enableMemPattern` plans memory for one shape at a time; lengths differ from text to text, so it only costs (20 MB).
 */
export async function loadModelSession(modelPath: string): Promise<ModelSession> {
  const session = await InferenceSession.create(modelPath, {
    executionMode: 'sequential',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    enableMemPattern: false,
  });
  return {
    embed: async (tokenIds) => {
      const shape = [1, tokenIds.length];
      const outputs = await session.run({
        input_ids: new Tensor('int64', BigInt64Array.from(tokenIds, BigInt), shape),
        attention_mask: new Tensor('int64', new BigInt64Array(tokenIds.length).fill(1n), shape),
        token_type_ids: new Tensor('int64', new BigInt64Array(tokenIds.length), shape),
      });
      const hidden = outputs.last_hidden_state!;
      return unitVector((hidden.data as Float32Array).slice(0, hidden.dims[2]));
    },
  };
}

/** Scales to length 1, in place. */
function unitVector(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! / length;
  return vector;
}
