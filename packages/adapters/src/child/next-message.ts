import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** What a child says next. @throws Error where it ends without a word, or cannot be started */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`A process ended (${signal ?? `exit code ${code}`}) before it had answered.`);
  });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown];
  return message;
}
