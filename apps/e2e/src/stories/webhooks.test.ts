import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, waitForEnd } from '../job-end.ts';
import { descendants, type Service, startService } from '../service.ts';
import { startReceiver, type WebhookReceiver } from '../webhook-receiver.ts';

const secret = 'the-secret-of-the-webhooks-of-this-story';
let receiver: WebhookReceiver;
/** Nobody allowed it: whoever calls it was led there. */
let inside: WebhookReceiver;
let service: Service;

beforeAll(async () => {
  inside = await startReceiver((response) => response.end());
  receiver = await startReceiver((response, index, path) => {
    if (path !== '/rough') return response.end();
    switch (index) {
      case 0:
        return response.writeHead(500).end('not now');
      case 1:
        return; // says nothing until the caller gives up
      case 2:
        return response.writeHead(302, { location: `http://${inside.host}/` }).end();
      case 3:
        return; // in the middle of this one the caller is killed
      default:
        return response.writeHead(204).end();
    }
  });
  service = await startService({
    env: {
      FETCH_ALLOW_HOSTS: receiver.host,
      WEBHOOK_SECRET: secret,
      WEBHOOK_TIMEOUT_MS: '1500',
      WEBHOOK_BACKOFF_MS: '100',
    },
  });
}, 180_000);
afterAll(async () => {
  await service?.stop();
  await receiver.close();
  await inside.close();
}, 60_000);

const ingest = async (fields: Record<string, unknown>) => {
  const answer = await fetch(`${service.url}/api/v1/memory/ingest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ source: { type: 'text', text: 'The harbour is open at high tide.' }, ...fields }),
  });
  return { status: answer.status, body: (await answer.json()) as { id: string } };
};

/** The process of tier fetch: the only one with a way out. */
async function fetchWorker(): Promise<number | undefined> {
  for (const { pid, command } of await descendants(service.pid)) {
    if (!command.includes('apps/worker')) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (environment.split('\0').includes('TIERS=fetch')) return pid;
  }
  return undefined;
}

test('a receiver that fails, hangs, redirects, and whose caller is killed gets the job all the same', async () => {
  const { status, body } = await ingest({ documentId: 'rough', callbackUrl: `http://${receiver.host}/rough` });
  expect(status).toBe(202);
  const calls = () => receiver.calls.filter(({ path }) => path === '/rough');
  await eventually(async () => calls().length === 4, 60_000);
  process.kill(await eventually(fetchWorker), 'SIGKILL');
  await eventually(async () => calls().length === 5, 60_000);

  const ended = await waitForEnd(service, body.id);
  expect(ended.state).toBe('succeeded');
  for (const call of calls()) expect(JSON.parse(call.body)).toEqual(ended);
  expect(new Set(calls().map(({ delivery }) => delivery)).size).toBe(1);
  expect(inside.calls).toEqual([]);
  // The last one was taken: nobody calls again.
  await eventually(async () =>
    (await (await fetch(service.metricsUrl)).text()).includes('{process="worker-fetch",outcome="delivered"} 1'),
  );
  expect(calls()).toHaveLength(5);
}, 180_000);

test('a callbackUrl that leads inside is refused', async () => {
  expect(await ingest({ callbackUrl: `http://${inside.host}/` })).toMatchObject({ status: 422 });
});

/** The snippets that docs/webhooks.md gives to users, as files. */
async function snippets(folder: string): Promise<Record<'ts' | 'python', string>> {
  const page = await readFile(fileURLToPath(new URL('../../../../docs/webhooks.md', import.meta.url)), 'utf8');
  const code = (language: string) => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page)?.[1] ?? '';
  const files = { ts: join(folder, 'check.ts'), python: join(folder, 'check.py') };
  await writeFile(
    files.ts,
    `${code('ts')}\nconst [, , s, h, b] = process.argv;\nconsole.log(isGenuine(s!, h!, b!));\n`,
  );
  await writeFile(
    files.python,
    `${code('python')}\nimport sys\nprint(is_genuine(sys.argv[1], sys.argv[2], sys.argv[3].encode()))\n`,
  );
  return files;
}

test('the documented checks of the signature take the call, and no other body, key or time', async () => {
  await ingest({ documentId: 'checked', callbackUrl: `http://${receiver.host}/check` });
  const { signature, body } = await eventually(async () => receiver.calls.find(({ path }) => path === '/check'));
  const old = signature.replace(/^t=\d+/, `t=${Math.floor(Date.now() / 1000) - 3600}`);
  const folder = await mkdtemp(join(tmpdir(), 'semantic-memory-webhook-'));
  try {
    const { ts, python } = await snippets(folder);
    const said = (command: string, file: string, ...args: string[]) =>
      spawnSync(command, [file, ...args], { encoding: 'utf8', env: { PATH: process.env.PATH } })
        .stdout.trim()
        .toLowerCase();
    const commands: [string, string][] = [[process.execPath, ts]];
    // Not every machine that runs the service has it.
    if (spawnSync('python3', ['--version']).status === 0) commands.push(['python3', python]);
    for (const [command, file] of commands) {
      expect(said(command, file, secret, signature, body)).toBe('true');
      expect(said(command, file, secret, signature, `${body} `)).toBe('false');
      expect(said(command, file, `${secret}!`, signature, body)).toBe('false');
      expect(said(command, file, secret, old, body)).toBe('false');
      expect(said(command, file, secret, 'v1=00', body)).toBe('false');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
