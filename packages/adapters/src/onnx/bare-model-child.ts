import { once } from 'node:events';
import type { BareModelWork } from './bare-model.ts';
import { loadModelSession } from './model-session.ts';

process.on('disconnect', () => process.exit(0));
const [work] = (await once(process, 'message')) as [BareModelWork];
const session = await loadModelSession(work.modelPath);
// The first run is slower: it lays out memory.
if (work.texts[0] !== undefined) await session.embed(work.texts[0]);
const started = once(process, 'message');
process.send!('ready');
await started;
for (const text of work.texts) await session.embed(text);
process.send!('done');
