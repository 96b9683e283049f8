import { expect, test } from '@jest/globals';
import {
  type ChunkTokens,
  checkOf,
  directionOf,
  fileBytes,
  readRecord,
  readTable,
  recordRange,
  type TokenTable,
  writeTokenFile,
} from './token-file.ts';

const width = 16;
const directionWidth = 8;

function chunk(count: number, textStart: number): ChunkTokens {
  return {
    textStart,
    textCheck: checkOf(`text ${textStart}`),
    direction: directionOf(Float32Array.from({ length: directionWidth }, (_, at) => at - 4)),
    scales: Float32Array.from({ length: count }, (_, at) => at / 100),
    starts: Int32Array.from({ length: count }, (_, at) => at * 5 - 10),
    values: Int8Array.from({ length: count * width }, (_, at) => (at % 255) - 127),
  };
}

const chunks = [chunk(3, 0), chunk(0, 40), chunk(510, 4_000_000_000)];
const facts = {
  modelCheck: checkOf('a model'),
  chunksCheck: checkOf('hashes'),
  chunks: chunks.length,
  width,
  directionWidth,
};
const file = writeTokenFile(facts, chunks);

function tableOfFile(bytes: Uint8Array): TokenTable {
  const table = readTable(bytes);
  if (!table || 'needsBytes' in table) throw new Error('no table');
  return table;
}

test('each chunk is read alone, as it was written, from wherever its bytes lie in memory', () => {
  const table = tableOfFile(file);
  expect(table).toMatchObject(facts);
  expect(fileBytes(table)).toBe(file.byteLength);
  chunks.forEach((written, index) => {
    const { start, end } = recordRange(table, index);
    const shifted = new Uint8Array(end - start + 3);
    shifted.set(file.subarray(start, end), 3);
    expect(readRecord(table, index, shifted.subarray(3))).toEqual(written);
  });
});

test('says how much of the beginning the table takes where less was read', () => {
  const table = readTable(file.subarray(0, 40));
  expect(table).toEqual({ needsBytes: 32 + 4 * 4 });
  expect(readTable(file.subarray(0, 48))).toMatchObject({ chunks: 3 });
});

test('takes nothing else for such a file', () => {
  expect(readTable(new Uint8Array())).toBeUndefined();
  expect(readTable(new Uint8Array(100))).toBeUndefined();
  const other = Uint8Array.from(file);
  // Another layout.
  other[4] = 2;
  expect(readTable(other)).toBeUndefined();
});

test('a direction is the vector up to its length', () => {
  expect(Array.from(directionOf(Float32Array.of(0, -0.5, 0.25)))).toEqual([0, -127, 64]);
  expect(Array.from(directionOf(Float32Array.of(0, 0)))).toEqual([0, 0]);
});
