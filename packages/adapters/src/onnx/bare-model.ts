import { fork } from 'node:child_process';
import { nextMessage } from '../child/next-message.ts';
import { programBeside } from '../child/program-beside.ts';
import { encode } from './embedder.ts';
import { modelFile, readModelCard } from './model-card.ts';
import { createTokenizer } from './tokenizer.ts';

const program = programBeside(import.meta.url, 'bare-model-child');

/** What goes to a process of the measurement; it answers with the seconds that its texts took. */
export interface BareModelWork {
  readonly modelPath: string;
  readonly texts: readonly Int32Array[];
}

/**
 * What the machine can do: texts a second of the model alone, in `processes` processes with one thread each that have
 * all texts before the clock starts. The yardstick for everything that stands around the model.
 * @throws Error where one of the processes ends before it is done
 */
export async function measureBareModel(
  texts: readonly string[],
  processes: number,
  modelPath = modelFile('model.onnx'),
): Promise<number> {
  const card = readModelCard();
  const tokenizer = createTokenizer();
  const encoded = texts.map((text) => encode(tokenizer, card, text).tokenIds);
  const children = Array.from({ length: processes }, () =>
    fork(program.path, {
      execArgv: [...program.execArgv],
      env: {},
      serialization: 'advanced',
    }),
  );
  try {
    await Promise.all(
      children.map(async (child, i) => {
        child.send({ modelPath, texts: encoded.filter((_, j) => j % processes === i) });
        await nextMessage(child);
      }),
    );
    const startedAt = performance.now();
    await Promise.all(
      children.map(async (child) => {
        child.send('start');
        await nextMessage(child);
      }),
    );
    return (texts.length * 1000) / (performance.now() - startedAt);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}
