import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import express from 'express';

/** Accepts texts: one synced file and one job each. Arguments: port, folder, Redis, queue. */
const [port, folder, redisUrl, queueName] = process.argv.slice(2) as [string, string, string, string];
const queue = new Queue(queueName, { connection: { url: redisUrl } });
const app = express();
app.use(express.json());
app.post('/texts', async (request, response) => {
  const { id, text } = request.body as { id: string; text: string };
  const path = join(folder, id);
  const file = await open(`${path}.new`, 'w');
  await file.writeFile(text);
  await file.datasync();
  await file.close();
  await rename(`${path}.new`, path);
  await queue.add('text', { id }, { jobId: id, removeOnComplete: true });
  response.status(202).json({ id });
});
app.listen(Number(port), '127.0.0.1', () => process.send?.('ready'));
