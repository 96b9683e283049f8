import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
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
    const ofAnother = `semantic-memory-child-${process.ppid}-abc`;
    await mkdir(join(parent, ofAnother));
    const first = await makeWorkDirectory(parent);
    const second = await makeWorkDirectory(parent);
    const kept = [basename(first), basename(second), 'of-somebody-else', ofAnother];
    expect((await readdir(parent)).sort()).toEqual(kept.sort());
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});

test('a folder that goes away while it is looked at holds up nothing', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'work-directory-test-'));
  try {
    // Listed, but not to be looked at.
    const vanished = `semantic-memory-child-${process.pid}-gone`;
    await symlink(join(parent, 'nothing-there'), join(parent, vanished));
    const made = await makeWorkDirectory(parent);
    expect((await readdir(parent)).sort()).toEqual([basename(made), vanished].sort());
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});
