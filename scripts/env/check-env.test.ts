import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, jest, test } from '@jest/globals';
import { renderEnvExample } from '@semantic-memory/runtime/env-example';
import { checkExample } from './check-example.ts';
import { exampleEntries } from './example-entries.ts';
import { variablesReadBy } from './read-by-code.ts';
import { toolVariables } from './tool-variables.ts';

// Each test runs the command.
jest.setTimeout(60_000);

const script = fileURLToPath(new URL('../check-env', import.meta.url));

async function checkEnv(args: string[], env: Record<string, string> = {}) {
  const { PATH = '', HOME = '' } = process.env;
  return promisify(execFile)(script, args, { env: { PATH, HOME, ...env } }).then(
    ({ stderr }) => ({ status: 0, output: stderr }),
    (error) => ({ status: error.code as number, output: error.stderr as string }),
  );
}

test('the code and .env.example of this repository name the same variables', async () => {
  expect(await checkEnv([])).toEqual({ status: 0, output: '' });
});

const production = {
  JWT_SECRET: 'a-secret-of-at-least-thirty-two-characters',
  OPENAI_API_KEY: 'a-key',
  REDIS_URL: 'rediss://redis.example:6379',
  CHROMA_HOST: 'chroma.example',
  CHROMA_PORT: '8000',
  APP_CORS_ORIGINS: 'https://app.example.com',
  LOG_LEVEL: 'info',
};

test('an environment with all that a production must set passes', async () => {
  expect(await checkEnv(['--require'], production)).toEqual({ status: 0, output: '' });
});

test('each required variable that is missing, empty or malformed is named, without its value', async () => {
  const none = await checkEnv(['--require']);
  expect(none.status).toBe(1);
  for (const name of Object.keys(production)) expect(none.output).toContain(`check-env: ${name} is missing`);
  const malformed = {
    ...production,
    JWT_SECRET: 'too-short-secret',
    OPENAI_API_KEY: ' ',
    REDIS_URL: 'redis.example:6379',
    CHROMA_PORT: '70000',
    APP_CORS_ORIGINS: 'app.example.com',
    LOG_LEVEL: 'loud',
  };
  const { status, output } = await checkEnv(['--require'], malformed);
  expect(status).toBe(1);
  expect(output.match(/(?<=check-env: )[A-Z_]+/g)?.sort()).toEqual(
    Object.keys(production)
      .filter((name) => name !== 'CHROMA_HOST')
      .sort(),
  );
  for (const value of ['too-short-secret', '70000', 'loud']) expect(output).not.toContain(value);
});

test('variables are found in each way of reading them, and not where a script sets its own', () => {
  const read = variablesReadBy([
    {
      path: 'a.ts',
      text: "process.env.ONE_A; io.env['TWO_B']; countOf(env, 'THREE_C'); const { FOUR_D, x } = process.env;",
    },
    { path: 'b.sh', text: `OWN=1; echo "$OWN \${OWN}"; echo "\${FIVE_E:-x} \${SIX_F:?set it}"` },
    { path: 'c.ts', text: 'other.SEVEN_G; process.env.ONE_A' },
  ]);
  expect([...read]).toEqual([
    ['ONE_A', 'a.ts'],
    ['TWO_B', 'a.ts'],
    ['THREE_C', 'a.ts'],
    ['FOUR_D', 'a.ts'],
    ['FIVE_E', 'b.sh'],
    ['SIX_F', 'b.sh'],
  ]);
});

test('a variable in only one of both, without its facts, twice or in the wrong section is found', () => {
  const entries = exampleEntries(`# ---- Settings

# What it is for.
# Format: text. Default: none. Optional.
#GOOD=

# What it is for.
#NO_FACTS=
#GOOD=

# Turns it on.
# Format: on or off. Default: on. Optional.
#FLAG=on
`);
  const schema = [
    { name: 'GOOD', used: true },
    { name: 'NO_FACTS', used: true },
    { name: 'FLAG', used: false, feature: true },
    { name: 'HIDDEN', used: true },
  ];
  expect(checkExample({ entries, read: new Map([['UNTOLD', 'a.ts']]), schema })).toEqual([
    'UNTOLD is read by a.ts but not in .env.example.',
    'HIDDEN is in the schema of the environment but not in .env.example.',
    'NO_FACTS has no format, no default, no need in .env.example.',
    'GOOD has no purpose, no format, no default, no need in .env.example.',
    'FLAG is in .env.example but nothing reads it.',
    'FLAG is a feature flag and not in their section.',
    'GOOD is in .env.example more than once.',
  ]);
});

test('feature flags and the variables of the commands have sections of their own', () => {
  const entries = exampleEntries(renderEnvExample(toolVariables));
  const inSection = (section: string) => entries.filter((entry) => entry.section === section).map(({ name }) => name);
  expect(inSection('Feature flags')).toEqual(expect.arrayContaining(['CACHE', 'LATE_INTERACTION']));
  expect(inSection('Commands')).toEqual(toolVariables.map(({ name }) => name));
  expect(
    entries
      .filter(({ need }) => need === 'required in production')
      .map(({ name }) => name)
      .sort(),
  ).toEqual(Object.keys(production).sort());
});
