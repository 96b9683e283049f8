import { expect, test } from '@jest/globals';
import { Turns } from './turns.ts';

const drained = (turns: Turns<string>) => {
  const order: string[] = [];
  for (let item = turns.next(); item !== undefined; item = turns.next()) order.push(item);
  return order;
};

test('owners take turns, each in its own order', () => {
  const turns = new Turns<string>();
  turns.push('a', ['a1', 'a2', 'a3']);
  turns.push('b', ['b1']);
  turns.push('a', ['a4']);
  turns.push('c', ['c1', 'c2']);
  expect(turns.size).toBe(7);
  expect(drained(turns)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'a4']);
  expect(turns.size).toBe(0);
});

test('one who comes late waits for one turn of each other owner', () => {
  const turns = new Turns<string>();
  turns.push('a', ['a1', 'a2', 'a3']);
  turns.push('b', ['b1', 'b2', 'b3']);
  expect([turns.next(), turns.next()]).toEqual(['a1', 'b1']);
  turns.push('c', ['c1']);
  expect(drained(turns)).toEqual(['a2', 'b2', 'c1', 'a3', 'b3']);
});

test('what was removed is gone', () => {
  const turns = new Turns<string>();
  turns.push('a', ['a1', 'a2', 'a3']);
  turns.remove('a', 'a2');
  turns.remove('nobody', 'a3');
  expect(turns.size).toBe(2);
  expect(drained(turns)).toEqual(['a1', 'a3']);
});

test('an owner that may not go is passed over and keeps its turn', () => {
  const turns = new Turns<string>();
  turns.push('a', ['a1']);
  turns.push('b', ['b1']);
  expect(turns.next((owner) => owner !== 'a')).toBe('b1');
  expect(turns.next((owner) => owner !== 'a')).toBeUndefined();
  expect(turns.takeAll()).toEqual(['a1']);
  expect(turns.size).toBe(0);
});

test('who pushes nothing gets no turn', () => {
  const turns = new Turns<string>();
  turns.push('nobody', []);
  turns.push('a', ['a1']);
  expect(turns.size).toBe(1);
  expect(drained(turns)).toEqual(['a1']);
});
