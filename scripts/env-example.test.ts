import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { configVariables } from '@semantic-memory/runtime/config';
import { renderEnvExample } from '@semantic-memory/runtime/env-example';
import { toolVariables } from './env/tool-variables.ts';

test('.env.example holds every variable that the code reads, with purpose, format and default', async () => {
  const text = await readFile(new URL('../.env.example', import.meta.url), 'utf8');
  for (const { name } of Object.values(configVariables)) expect(text).toMatch(new RegExp(`^#${name}=`, 'm'));
  // Made by: node --conditions=development scripts/env-example.ts > .env.example
  expect(text).toBe(renderEnvExample(toolVariables));
});
