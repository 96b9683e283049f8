import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type FakeService, startFakeService } from '@semantic-memory/client/testing/fake-service';

// Each test runs the command.
jest.setTimeout(120_000);

const script = fileURLToPath(new URL('../deploy_staging.sh', import.meta.url));

/** Fake helm and kubectl, which note how they were called, before a fake of the service that was deployed. */
let folder: string;
let service: FakeService;
let history: { revision: number; status: string }[];
let broken: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-memory-deploy-'));
  service = await startFakeService();
  history = [
    { revision: 6, status: 'superseded' },
    { revision: 7, status: 'deployed' },
    { revision: 8, status: 'failed' },
  ];
  broken = '';
});
afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

async function program(name: string, body: string): Promise<void> {
  await writeFile(join(folder, name), `#!/usr/bin/env bash\necho "${name} $*" >>"${folder}/calls"\n${body}\n`);
  await chmod(join(folder, name), 0o755);
}

async function deploy(args: string[]): Promise<{ status: number; output: string; calls: string[] }> {
  await program(
    'helm',
    history.length === 0
      ? `if [ "$1" = history ]; then echo 'Error: release: not found' >&2; exit 1; fi\n[ "$1" != "${broken}" ]`
      : `[ "$1" = history ] && echo '${JSON.stringify(history)}'\n[ "$1" != "${broken}" ]`,
  );
  const forward = `require('node:net').createServer((socket) => socket.pipe(require('node:net').connect(${new URL(service.url).port}, '127.0.0.1')).pipe(socket)).listen(Number(process.argv[1].split(':')[0]), '127.0.0.1')`;
  await program(
    'kubectl',
    `case "$1" in get) echo service/found ;; port-forward) exec "${process.execPath}" -e "${forward}" "\${!#}" ;; esac\n[ "$1" != "${broken}" ]`,
  );
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, SEMANTIC_MEMORY_TOKEN: 'token' };
  const ended = await promisify(execFile)(script, args, { env }).then(
    ({ stdout, stderr }) => ({ status: 0, output: stdout + stderr }),
    (error) => ({ status: error.code as number, output: `${error.stdout}${error.stderr}` }),
  );
  const calls = await readFile(join(folder, 'calls'), 'utf8').catch(() => '');
  return { ...ended, calls: calls.trim().split('\n') };
}

test('a deployment that works stays: the overrides of staging, the tag, then ingest, search and rag', async () => {
  const { status, output, calls } = await deploy(['--tag', '1.2.3', '--url', service.url]);
  expect({ status, output }).toMatchObject({ status: 0, output: expect.stringContaining('ok: rag') });
  expect(calls.map((call) => call.split(' ').slice(0, 2).join(' '))).toEqual([
    'helm history',
    'helm upgrade',
    'kubectl rollout',
  ]);
  expect(calls[1]).toMatch(
    / --install .*--values \S*\/helm\/ci\/staging\.yaml --set-string image\.tag=1\.2\.3 --set canary/,
  );
  expect(calls[1]).toMatch(/--wait --timeout 10m$/);
  // What was ingested to look at it is gone.
  expect(service.documents.size).toBe(0);
});

test('without an address the API is reached by a port-forward', async () => {
  const { status, output, calls } = await deploy([]);
  expect({ status, output }).toMatchObject({ status: 0, output: expect.stringContaining('semantic-memory works') });
  expect(calls.at(-2)).toMatch(/^kubectl get service .*instance=semantic-memory,app\.kubernetes\.io\/component=api$/);
  expect(calls.at(-1)).toMatch(/^kubectl port-forward --namespace semantic-memory-staging service\/found \d+:http$/);
});

test('a roll-out that fails is taken back', async () => {
  broken = 'upgrade';
  const { status, calls } = await deploy(['--url', service.url]);
  expect(status).toBe(1);
  expect(calls.at(-1)).toMatch(/^helm rollback semantic-memory 7 --namespace semantic-memory-staging --wait/);
  expect(service.requests).toEqual([]);
});

test('a service that does not answer as it should is taken back', async () => {
  service.intercept(({ path }, response) => {
    if (!path.endsWith('/rag')) return false;
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"answer":"yes"}');
    return true;
  });
  const { status, output, calls } = await deploy(['--url', service.url]);
  expect({ status, output }).toMatchObject({ status: 1, output: expect.stringContaining('FAULT: rag') });
  expect(calls.at(-1)).toMatch(/^helm rollback semantic-memory 7 /);
});

test('a first install that fails has nothing to go back to, and a rollback that fails is shouted', async () => {
  history = [];
  broken = 'rollout';
  const first = await deploy(['--url', service.url]);
  expect(first.status).toBe(1);
  expect(first.calls.join()).not.toContain('rollback');
  history = [{ revision: 8, status: 'deployed' }];
  broken = 'rollback';
  service.intercept((_request, response) => {
    response.writeHead(401).end();
    return true;
  });
  const second = await deploy(['--url', service.url]);
  expect(second).toMatchObject({ status: 1, output: expect.stringContaining('THE ROLLBACK FAILED') });
});

test('a canary gets its weight beside what is in service, is checked by itself, and ends at weight 0', async () => {
  const on = await deploy(['--tag', '1.3.0-rc.1', '--canary-weight', '5']);
  expect(on.status).toBe(0);
  expect(on.calls[1]).toContain(
    '--reuse-values --set canary.enabled=true --set canary.weight=5 --set-string canary.tag=1.3.0-rc.1 --wait',
  );
  expect(on.calls[1]).not.toContain('--values');
  expect(on.calls.join()).toContain('component=api-canary');
  const off = await deploy(['--canary-weight', '0', '--url', service.url]);
  expect(off.calls.findLast((call) => call.startsWith('helm upgrade'))).toContain(
    '--reuse-values --set canary.enabled=false',
  );
});

test('what cannot be meant is refused before anything is touched', async () => {
  for (const args of [
    ['--canary-weight', '101', '--tag', '1'],
    ['--canary-weight', '5'],
    ['--values', '/nowhere.yaml'],
    ['--weight'],
    ['--tag'],
  ]) {
    expect(await deploy(args)).toMatchObject({ status: 2, calls: [''] });
  }
  history = [];
  const { status, calls } = await deploy(['--tag', '2', '--canary-weight', '5']);
  expect({ status, calls: calls.length }).toEqual({ status: 2, calls: 1 });
  history = [{ revision: 8, status: 'deployed' }];
  broken = 'history';
  const output = expect.stringContaining('helm cannot ask the cluster');
  expect(await deploy([])).toMatchObject({ status: 2, output });
});
