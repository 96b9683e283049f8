import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

// Elsewhere there is no /proc that would show it.
const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('a SIGINT that reaches make alone is heard by what make runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'semantic-memory-make-'));
  const module = fileURLToPath(new URL('make-interrupt.ts', import.meta.url));
  await writeFile(
    join(folder, 'recipe.mjs'),
    `import { onMakeInterrupted } from '${module}';
     const alive = setInterval(() => {}, 1000);
     onMakeInterrupted(() => { console.log('interrupted'); clearInterval(alive); }, { everyMs: 20 });
     console.log('ready');`,
  );
  await writeFile(join(folder, 'Makefile'), `up:\n\t@exec ${process.execPath} recipe.mjs\n`);
  // The tests may run under a make themselves, which would tell this one to print more.
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, ...env } = process.env;
  const make = spawn('make', ['up'], { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const giveUp = setTimeout(() => process.kill(-(make.pid ?? 0), 'SIGKILL'), 4_000);
  try {
    let output = '';
    make.stdout.on('data', (part: Buffer) => {
      output += part.toString();
      if (output === 'ready\n') make.kill('SIGINT');
    });
    await new Promise((resolve) => make.once('close', resolve));
    expect(output).toBe('ready\ninterrupted\n');
  } finally {
    clearTimeout(giveUp);
    await rm(folder, { recursive: true, force: true });
  }
});
