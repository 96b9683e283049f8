import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { makeWorkDirectory } from './work-directory.ts';

test('what a process that is gone left behind is removed, what belongs to a living one stays', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'work-directory-test-'));
  try {
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(gone, 'exit');
    await mkdir(join(parent, `semantic-memory-child-${gone.pid}-abc`));
    await mkdir(join(parent, 'of-somebody-else'));
    const first = await makeWorkDirectory(parent);
    const second = await makeWorkDirectory(parent);
    const kept = [basename(first), basename(second), 'of-somebody-else'];
    expect((await readdir(parent)).sort()).toEqual(kept.sort());
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});
