import { renderEnvExample } from '@semantic-memory/runtime/config';

/** Prints .env.example as the code has it: `node --conditions=development scripts/env-example.ts > .env.example`. */
process.stdout.write(renderEnvExample());
