import { TestEnvironment } from 'jest-environment-node';

// A test and the services that it starts take their ports from a quarter of all: those of another worker have another.
const quarter = 3_192;
const first = 20_000 + (Number(process.env.JEST_WORKER_ID ?? 1) % 4) * quarter;
process.env.FREE_PORTS = `${first}-${first + quarter - 1}`;

/**
 * Node's environment with the outer realm's typed arrays: native addons (onnxruntime-node) check with `instanceof`
 * against the classes of the main realm and refuse those of jest's.
 */
export default class SharedTypedArrays extends TestEnvironment {
  async setup() {
    await super.setup();
    Object.assign(this.global, { Float32Array, BigInt64Array });
  }
}
