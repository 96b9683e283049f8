import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { getPriority } from 'node:os';
import { expect, test } from '@jest/globals';
import { workInBackground } from './work-in-background.ts';

test('a process that never started leaves the priority of this one alone', () => {
  const before = getPriority();
  workInBackground(undefined);
  expect(getPriority()).toBe(before);
});

test('a process that has ended already is no fault', async () => {
  const ended = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(ended, 'exit');
  expect(() => workInBackground(ended.pid)).not.toThrow();
});
