import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import { findOnPath } from './local/run-command.ts';

const made: string[] = [];
afterAll(async () => {
  for (const directory of made) await rm(directory, { recursive: true, force: true });
});

const TOOLS = 'bash cat chmod cksum cut cp cmp date dirname env grep ln mkdir mv rm sleep tail uname'.split(' ');
/** Stands for npm: brings a pnpm that stands for pnpm, which brings a Node, and notes that it was asked. */
const NPM = `mkdir -p "$3/node_modules/.bin"
cat > "$3/node_modules/.bin/pnpm" <<'END'
#!/bin/sh
echo installed >> installs
sleep 0.2
mkdir -p node_modules/.bin
printf '#!/bin/sh\\n' > node_modules/.bin/node
chmod +x node_modules/.bin/node
END
chmod +x "$3/node_modules/.bin/pnpm"`;

/** A clone of a small repository on a machine with the given programs beside the usual ones. */
async function machine(programs: { node?: string; npm?: string }) {
  const root = await mkdtemp(join(tmpdir(), 'semantic-memory-setup-'));
  made.push(root);
  const bin = join(root, 'bin');
  const clone = join(root, 'clone');
  await mkdir(bin);
  for (const tool of TOOLS) await symlink((await findOnPath(tool)) as string, join(bin, tool));
  for (const [name, body] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${body}\n`);
    await chmod(join(bin, name), 0o755);
  }
  for (const folder of ['scripts/pnpm', 'apps/a', 'packages/p']) await mkdir(join(clone, folder), { recursive: true });
  const files = 'package.json pnpm-lock.yaml pnpm-workspace.yaml apps/a/package.json packages/p/package.json';
  for (const file of files.split(' ')) await writeFile(join(clone, file), '{}');
  for (const file of ['package.json', 'package-lock.json']) await writeFile(join(clone, 'scripts/pnpm', file), '{}');
  await cp(fileURLToPath(new URL('setup.sh', import.meta.url)), join(clone, 'scripts/setup.sh'));

  const setup = async () => {
    const child = spawn(join(bin, 'bash'), ['scripts/setup.sh'], { cwd: clone, env: { PATH: bin } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, output };
  };
  const installs = async () => (await readFile(join(clone, 'installs'), 'utf8')).trim().split('\n').length;
  return { clone, setup, installs };
}

const node = 'echo v20.11.0';

test('a missing npm, a missing or old Node are told as such', async () => {
  expect(await (await machine({ node })).setup()).toMatchObject({
    status: 1,
    output: expect.stringMatching(/^setup: npm is needed/),
  });
  expect(await (await machine({ npm: NPM })).setup()).toMatchObject({
    status: 1,
    output: expect.stringMatching(/^setup: Node\.js 20 or newer/),
  });
  const old = await (await machine({ node: 'echo v18.19.0', npm: NPM })).setup();
  expect(old.status).toBe(1);
  expect(old.output).toMatch(/^setup: Node\.js 20 or newer is needed, this is v18\.19\.0/);
});

test('packages are installed once, and again after the lockfile has changed', async () => {
  const { clone, setup, installs } = await machine({ node, npm: NPM });
  expect((await setup()).status).toBe(0);
  expect(await setup()).toEqual({ status: 0, output: '' });
  expect(await installs()).toBe(1);
  await writeFile(join(clone, 'pnpm-lock.yaml'), '{"changed": true}');
  expect((await setup()).status).toBe(0);
  expect(await installs()).toBe(2);
});

test('two at once install once', async () => {
  const { setup, installs } = await machine({ node, npm: NPM });
  const outcomes = await Promise.all([setup(), setup()]);
  expect(outcomes.map(({ status }) => status)).toEqual([0, 0]);
  expect(await installs()).toBe(1);
});

test('the lock of a killed setup is taken over', async () => {
  const { clone, setup, installs } = await machine({ node, npm: NPM });
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'exit');
  await mkdir(join(clone, '.tools/setup.lock'), { recursive: true });
  await writeFile(join(clone, '.tools/setup.lock/pid'), `${gone.pid}\n`);
  expect((await setup()).status).toBe(0);
  expect(await installs()).toBe(1);
});

test('a registry that cannot be reached is told as such, and the next try succeeds', async () => {
  const offline = 'if [ ! -e online ]; then echo "npm error code ENOTFOUND" >&2; exit 1; fi';
  const { clone, setup } = await machine({ node, npm: `${offline}\n${NPM}` });
  const { status, output } = await setup();
  expect(status).toBe(1);
  expect(output).toMatch(/npm error code ENOTFOUND\nsetup: the package registry cannot be reached/);
  await writeFile(join(clone, 'online'), '');
  expect((await setup()).status).toBe(0);
});
