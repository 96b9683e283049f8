import { once } from 'node:events';
import type { BareModelWork } from './bare-model.ts';
import { loadModelSession } from './model-session.ts';

/** What a child process has of its parent: `process`, where it is one. */
export interface MeasuringChannel extends NodeJS.EventEmitter {
  exit(code: number): void;
}

/** Takes texts, says `ready`, embeds them when it is told to, and says `done`. Ends with the channel. */
export async function serveBareModel(channel: MeasuringChannel, send: (word: 'ready' | 'done') => void): Promise<void> {
  channel.on('disconnect', () => channel.exit(0));
  const [work] = (await once(channel, 'message')) as [BareModelWork];
  const session = await loadModelSession(work.modelPath);
  // The first run is slower: it lays out memory.
  for (const text of work.texts.slice(0, 1)) await session.embed(text);
  const started = once(channel, 'message');
  send('ready');
  await started;
  for (const text of work.texts) await session.embed(text);
  send('done');
}
