import { parentPort } from 'node:worker_threads';
import { createScoringServer } from './lexical-scoring-server.ts';

/** Scores what it is sent, one after the other. Ends with the process that started it. */
/* istanbul ignore next -- this module runs in a thread of its own only, where nothing is counted */
parentPort!.on(
  'message',
  createScoringServer((answer) => parentPort!.postMessage(answer)),
);
