import { isTerminal, type Job } from '@semantic-memory/shared/contracts/model/job';
import { delay } from './abort.ts';
import { ApiError } from './api-error.ts';
import { readEvents } from './event-stream.ts';
import type { Transport } from './transport.ts';

export interface WatchOptions {
  signal?: AbortSignal | undefined;
  /** Go on after this event. */
  lastEventId?: string | undefined;
  /** How many connections in a row may bring nothing before the watch gives up. Default 30. */
  maxReconnects?: number | undefined;
  /** Wait before another connection; doubles while they bring nothing, up to 5 s. Default 250. */
  reconnectDelayMs?: number | undefined;
}

const longestDelayMs = 5_000;

/**
 * Every change of a job, as it happens, until it ends. A lost connection is made again and goes on after the last
 * event seen, so that no change is missed or given twice.
 *
 * @throws ApiError where the job is not there or not the caller's, or where the server stays away.
 */
export async function* watchJob(
  transport: Transport,
  path: string,
  readJob: () => Promise<Job>,
  options: WatchOptions,
): AsyncGenerator<Job> {
  const maxReconnects = options.maxReconnects ?? 30;
  let lastEventId = options.lastEventId;
  for (let barren = 0; ; barren += 1) {
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream' };
      if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
      const stream = await transport.open({ method: 'GET', path, headers, repeat: 'always', signal: options.signal });
      if (stream.response.status === 204) {
        // Nothing follows the last event: the job ended with it.
        for await (const _ of stream.text);
        yield await readJob();
        return;
      }
      for await (const event of readEvents(stream.text)) {
        if (event.id !== undefined) lastEventId = event.id;
        if (event.event !== 'job') continue;
        barren = 0;
        const job = JSON.parse(event.data) as Job;
        yield job;
        if (isTerminal(job.state)) return;
      }
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || !isPassing(thrown) || barren >= maxReconnects) throw thrown;
    }
    if (barren >= maxReconnects) {
      const message = `The events of ${path} ended ${maxReconnects} times without the end of the job.`;
      throw new ApiError({ status: 0, code: 'unreachable', message });
    }
    const backoffMs = (options.reconnectDelayMs ?? 250) * 2 ** Math.min(barren, 10);
    await delay(Math.min(backoffMs, longestDelayMs), options.signal);
  }
}

function isPassing(error: ApiError): boolean {
  return error.code === 'unreachable' || error.code === 'timed_out' || error.status === 429 || error.status >= 500;
}
