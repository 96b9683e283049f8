import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';

// Each test runs the command.
jest.setTimeout(120_000);

const script = fileURLToPath(new URL('../setup-github.sh', import.meta.url));
const secrets = {
  JWT_SECRET: 'a-secret-of-at-least-thirty-two-characters',
  OPENAI_API_KEY: 'the-key-of-the-model',
  REDIS_URL: 'rediss://user:word@redis.example:6379',
  CHROMA_HOST: 'chroma.example',
  CHROMA_PORT: '8000',
  APP_CORS_ORIGINS: 'https://app.example.com',
  LOG_LEVEL: 'info',
};

/** A fake gh that notes its arguments and its standard input, a JSON line a call. */
let folder: string;
let answers: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-memory-github-'));
  answers = '';
});
afterEach(() => rm(folder, { recursive: true }));

async function setup(args: string[], env: Record<string, string>) {
  await writeFile(
    join(folder, 'env'),
    Object.entries(env)
      .map(([name, value]) => `${name}="${value}"\n`)
      .join(''),
  );
  const note = `const { appendFileSync, readFileSync } = require('node:fs'); appendFileSync('${folder}/calls', JSON.stringify({ args: process.argv.slice(1), input: readFileSync(0, 'utf8') }) + '\\n');`;
  await writeFile(
    join(folder, 'gh'),
    `#!/usr/bin/env bash\n"${process.execPath}" -e "${note.replaceAll('"', '\\"')}" -- "$@"\n${answers}\n`,
  );
  await chmod(join(folder, 'gh'), 0o755);
  const ended = await promisify(execFile)(
    script,
    ['--repo', 'acme/memory', '--env-file', join(folder, 'env'), ...args],
    {
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    },
  ).then(
    ({ stdout, stderr }) => ({ status: 0, output: stdout + stderr }),
    (error) => ({ status: error.code as number, output: `${error.stdout}${error.stderr}` }),
  );
  const noted = await readFile(join(folder, 'calls'), 'utf8').catch(() => '');
  const calls = noted
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { args: string[]; input: string });
  return { ...ended, calls };
}

test('without --apply nothing is called, and no secret is shown', async () => {
  const { status, output, calls } = await setup([], { ...secrets, CACHE: 'off' });
  expect(status).toBe(0);
  expect(calls).toEqual([]);
  expect(output).toContain('would set secret JWT_SECRET');
  expect(output).toContain('would set feature flag CACHE');
  expect(output).toContain('would set rules of main and release/*: two approvals, and lint, tests (ubuntu-24.04, 24)');
  for (const value of [secrets.JWT_SECRET, secrets.OPENAI_API_KEY, secrets.REDIS_URL])
    expect(output).not.toContain(value);
});

test('with --apply secrets go by standard input, flags, teams and labels are made, and branches get their rules', async () => {
  const { status, output, calls } = await setup(['--apply'], {
    ...secrets,
    LATE_INTERACTION: 'on',
    DOCKERHUB_TOKEN: 'hub',
  });
  expect({ status, output }).toMatchObject({ status: 0 });
  const commands = calls.map(({ args }) => args.join(' '));
  for (const [name, value] of Object.entries({ ...secrets, DOCKERHUB_TOKEN: 'hub' })) {
    expect(calls).toContainEqual({ args: ['secret', 'set', name, '--repo', 'acme/memory'], input: value });
    expect(commands.filter((command) => command.includes(value) && value.length > 5)).toEqual([]);
  }
  expect(commands).toContain('variable set LATE_INTERACTION --repo acme/memory --body on');
  for (const team of ['infra', 'api', 'docs']) {
    const args = ['api', '--method', 'PUT', `orgs/acme/teams/${team}/repos/acme/memory`, '--input', '-'];
    expect(calls).toContainEqual({ args, input: '{"permission":"push"}' });
  }
  expect(commands.filter((command) => command.startsWith('label create'))).toHaveLength(7);
  const rules = calls.at(-1);
  expect(rules?.args).toEqual(['api', '--method', 'POST', 'repos/acme/memory/rulesets', '--input', '-']);
  expect(JSON.parse(rules?.input ?? '')).toMatchObject({
    enforcement: 'active',
    conditions: { ref_name: { include: ['refs/heads/main', 'refs/heads/release/*'] } },
    rules: [
      { type: 'deletion' },
      { type: 'non_fast_forward' },
      { type: 'pull_request', parameters: { required_approving_review_count: 2, dismiss_stale_reviews_on_push: true } },
      {
        type: 'required_status_checks',
        parameters: {
          required_status_checks: expect.arrayContaining([
            { context: 'lint' },
            { context: 'tests (ubuntu-24.04, 24)' },
            { context: 'tests (macos-15, 26)' },
            { context: 'coverage' },
          ]),
        },
      },
    ],
  });
});

test('a second run changes the rules that are there, and a team that is there already is no fault', async () => {
  answers = `case "$*" in *rulesets\\ --jq*) echo 42 ;; *POST\\ orgs*) echo 'HTTP 422' >&2; exit 1 ;; esac`;
  const { status, calls } = await setup(['--apply'], secrets);
  expect(status).toBe(0);
  expect(calls.at(-1)?.args).toEqual(['api', '--method', 'PUT', 'repos/acme/memory/rulesets/42', '--input', '-']);
});

test('a file that lacks a secret, or has what nothing reads, is refused before anything is called', async () => {
  const { JWT_SECRET: _secret, ...others } = secrets;
  const { status, output, calls } = await setup(['--apply'], { ...others, CHROMA_PORT: 'none', JWT_SECRTE: 'x' });
  expect({ status, calls }).toEqual({ status: 1, calls: [] });
  for (const fault of ['JWT_SECRET is missing', 'CHROMA_PORT is malformed', 'JWT_SECRTE is neither']) {
    expect(output).toContain(fault);
  }
});

test('a call that fails ends the run with what gh said', async () => {
  answers = `case "$*" in secret*CHROMA_HOST*) echo 'HTTP 403: no' >&2; exit 1 ;; esac`;
  expect(await setup(['--apply'], secrets)).toMatchObject({
    status: 1,
    output: expect.stringContaining('secret CHROMA_HOST: HTTP 403: no'),
  });
});
