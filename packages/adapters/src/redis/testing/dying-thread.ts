import { parentPort } from 'node:worker_threads';

/** A thread that dies of the first message, as one without memory would. */
parentPort?.on('message', () => {
  throw new Error('there is no memory left');
});
