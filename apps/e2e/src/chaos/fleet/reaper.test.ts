import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reaper-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('what is frozen, or notices nothing by itself, ends with the run that is killed', async () => {
  const frozen = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  process.kill(-Number(frozen.pid), 'SIGSTOP');
  const reaper = new URL('./reaper.ts', import.meta.url).href;
  const run = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `const { startReaper } = await import(${JSON.stringify(reaper)});
       startReaper(${JSON.stringify(join(folder, 'processes'))}).add(${frozen.pid});
       console.log('watched');
       setInterval(() => {}, 1000);`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(run.stdout, 'data');
  const ended = once(frozen, 'exit');
  run.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
});
