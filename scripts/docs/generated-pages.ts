import { readFile } from 'node:fs/promises';
import { createOpenApiDocument } from '@semantic-memory/api/openapi';
import { toolVariables } from '../env/tool-variables.ts';
import { renderConfigurationPage } from './configuration-page.ts';
import { renderCollection } from './postman/collection.ts';
import { renderEnvironments } from './postman/environments.ts';
import { operationsOf } from './postman/operations.ts';
import { repository } from './repository-files.ts';
import { renderSchemaPage } from './schema-page.ts';

/** The text of every file of docs that follows from the code, by its path in the repository. */
export async function generatedPages(): Promise<Record<string, string>> {
  const { version } = JSON.parse(await readFile(`${repository}package.json`, 'utf8')) as { version: string };
  const document = createOpenApiDocument(version);
  return {
    'docs/configuration.md': renderConfigurationPage(toolVariables),
    'docs/schema.md': renderSchemaPage(document),
    'docs/postman/semantic-memory.postman_collection.json': json(renderCollection(operationsOf(document))),
    ...Object.fromEntries(
      Object.entries(renderEnvironments()).map(([name, environment]) => [
        `docs/postman/${name}.postman_environment.json`,
        json(environment),
      ]),
    ),
  };
}

const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
