/**
 * An ONNX model of one multiplication: `y = x · weights`, for any number of rows. Written by hand, field by field
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): it is far less than the library that would write it.
 *
 * @param weights row-major, `rows` × `columns`
 */
export function matmulModel(weights: Float32Array, rows: number, columns: number): Uint8Array {
  const floats = new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);
  const initializer = [...dimensions(rows, columns), number(2, float), text(8, 'weights'), bytes(9, floats)];
  const graph = message(7, [
    message(1, [text(1, 'x'), text(1, 'weights'), text(2, 'y'), text(4, 'MatMul')]),
    text(2, 'projection'),
    message(5, initializer),
    valueInfo(11, 'x', rows),
    valueInfo(12, 'y', columns),
  ]);
  const opset = message(8, [text(1, ''), number(2, 13)]);
  return Buffer.concat([number(1, irVersion), graph, opset]);
}

/** Of ONNX 1.8, which has operator set 13. */
const irVersion = 7;
/** TensorProto.DataType.FLOAT */
const float = 1;

/** A two-dimensional float tensor whose first dimension is open. */
function valueInfo(field: number, name: string, width: number): Buffer {
  const shape = message(2, [message(1, [text(2, 'n')]), message(1, [number(1, width)])]);
  return message(field, [text(1, name), message(2, [message(1, [number(1, float), shape])])]);
}

const dimensions = (...sizes: readonly number[]) => sizes.map((size) => number(1, size));
const text = (field: number, value: string) => bytes(field, Buffer.from(value));
const message = (field: number, parts: readonly Uint8Array[]) => bytes(field, Buffer.concat(parts));
const number = (field: number, value: number) => Buffer.from([...varint(field << 3), ...varint(value)]);
const bytes = (field: number, value: Uint8Array) =>
  Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(value.byteLength)]), value]);

/** Seven bits a byte, the lowest first (https://protobuf.dev/programming-guides/encoding/#varints). */
function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  return [...out, rest];
}
