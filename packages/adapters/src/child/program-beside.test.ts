import { expect, test } from '@jest/globals';
import { programBeside } from './program-beside.ts';

test('beside a source lies a source, which needs the sources of the other packages', () => {
  expect(programBeside('file:///app/src/redis/scorer.ts', 'thread')).toEqual({
    path: '/app/src/redis/thread.ts',
    execArgv: ['--conditions=development'],
  });
});

test('beside what was built lies what was built', () => {
  expect(programBeside('file:///app/dist/redis/scorer.js', 'thread')).toEqual({
    path: '/app/dist/redis/thread.js',
    execArgv: [],
  });
});
