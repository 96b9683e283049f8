import { renderEnvExample } from '@semantic-memory/runtime/env-example';
import { toolVariables } from './env/tool-variables.ts';

/** Prints .env.example as the code has it: `node --conditions=development scripts/env-example.ts > .env.example`. */
process.stdout.write(renderEnvExample(toolVariables));
