import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { residentBytes } from './resident-bytes.ts';

const mebibyte = 2 ** 20;

test.each(['linux', 'darwin'] as const)(
  'on %s the size of a process is told, of one that has ended 0',
  async (platform) => {
    // The way of the other platform works on Linux as well, the other way round it does not.
    if (process.platform === 'linux' || platform !== 'linux') {
      expect(await residentBytes(process.pid, platform)).toBeGreaterThan(20 * mebibyte);
    }
    const ended = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(ended, 'exit');
    expect(await residentBytes(ended.pid!, platform)).toBe(0);
  },
);
