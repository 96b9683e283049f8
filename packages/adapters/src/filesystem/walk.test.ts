import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { keysBelow } from './walk.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'walk-'));
  for (const name of ['a', 'b/c']) {
    await mkdir(join(folder, name), { recursive: true });
    for (let file = 0; file < 20; file += 1) await writeFile(join(folder, name, `${file}`), '');
  }
});
afterEach(() => rm(folder, { recursive: true }));

async function turnsDuring(holdMs: number): Promise<{ turns: number; keys: number }> {
  let walking = true;
  let turns = 0;
  const turn = () => {
    turns += 1;
    if (walking) setImmediate(turn);
  };
  setImmediate(turn);
  let keys = 0;
  for await (const _ of keysBelow(folder, '', holdMs)) keys += 1;
  walking = false;
  return { turns, keys };
}

test('a long walk lets others have their turn, a short one does not wait for them', async () => {
  const long = await turnsDuring(-1);
  expect(long.keys).toBe(40);
  expect(long.turns).toBeGreaterThan(10);
  expect(await turnsDuring(Number.POSITIVE_INFINITY)).toEqual({ turns: 0, keys: 40 });
});

test('who stops in the middle leaves no folder open', async () => {
  const open = () => readdirSync('/dev/fd').length;
  const before = open();
  for (let walk = 0; walk < 100; walk += 1) {
    for await (const key of keysBelow(folder, 'x/')) {
      expect(key.startsWith('x/')).toBe(true);
      break;
    }
  }
  expect(open() - before).toBeLessThan(50);
});

test('a folder that is not there has no keys', async () => {
  for await (const key of keysBelow(join(folder, 'nowhere'), '')) throw new Error(key);
});
