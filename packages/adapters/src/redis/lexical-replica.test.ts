import { expect, test } from '@jest/globals';
import { memoryFor, Replica } from './lexical-replica.ts';

/** An entry of the log, as Redis answers it. */
const entry = (fields: Record<string, string | number | Buffer>) =>
  new Map(
    Object.entries(fields).map(([name, value]) => [name, Buffer.isBuffer(value) ? value : Buffer.from(`${value}`)]),
  );
const packed = (...lengths: number[]) => Buffer.from(Uint16Array.from(lengths).buffer);

function twoDocuments(): Replica {
  const replica = new Replica();
  replica.startAfresh(packed(5, 6, 0, 7), [
    Buffer.from('a'),
    Buffer.from('0 2 1'),
    Buffer.from('b'),
    Buffer.from('3 1 4'),
  ]);
  return replica;
}

test('a chunk is found by its place, and none where no document lies', () => {
  const replica = twoDocuments();
  expect([0, 1, 3].map((ordinal) => replica.addressOf(ordinal))).toEqual([
    { documentId: 'a', version: 1, index: 0 },
    { documentId: 'a', version: 1, index: 1 },
    { documentId: 'b', version: 4, index: 0 },
  ]);
  expect([replica.addressOf(2), replica.addressOf(4), new Replica().addressOf(0)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('a document that comes beyond the room there is gets more, and what was there stays', () => {
  const replica = twoDocuments();
  const before = replica.lengths;
  const lengths = packed(...new Array<number>(5000).fill(9));
  replica.apply(entry({ id: 'c', off: '', on: 4, onCount: 5000, version: 1, lengths }));
  expect(replica.lengths).not.toBe(before);
  expect([...replica.lengths.subarray(0, 6)]).toEqual([5, 6, 0, 7, 9, 9]);
  expect([replica.used, replica.addressOf(5003)]).toEqual([5004, { documentId: 'c', version: 1, index: 4999 }]);
});

test('what is large lies where another thread can read it', () => {
  expect(memoryFor(64)).toBeInstanceOf(ArrayBuffer);
  expect(memoryFor(64 * 1024)).toBeInstanceOf(SharedArrayBuffer);
});
