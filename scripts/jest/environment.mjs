import { TestEnvironment } from 'jest-environment-node';

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
