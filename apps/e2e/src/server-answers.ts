import { connect } from 'node:net';

/** How long a server of a test has to answer. */
const answerWithinMs = 2000;

/** Whether a Redis serves: one that still loads its data answers LOADING. */
export function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(answerWithinMs, () => done(false));
    socket.on('connect', () => socket.write('PING\r\n'));
    socket.on('data', (data) => done(data.toString().startsWith('+PONG')));
    socket.on('error', () => done(false));
  });
}

/** Whether an address answers with a good status. */
export async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerWithinMs) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
