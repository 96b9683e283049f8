import { toMemoryError } from '../../contracts/errors.ts';
import type { DryRunPayload } from '../../contracts/jobs.ts';
import type { DryRun } from '../../contracts/model/dry-run.ts';
import type { ReplyBox } from '../../ports/reply-box.ts';
import { storeOriginal } from '../accept-request.ts';
import type { StepDeps } from '../deps.ts';
import { openPlace } from '../fetch-one.ts';
import { maxKills, poison } from '../jobs/poison.ts';
import { takeForStep } from '../jobs/step-quota.ts';
import { titleOf } from '../parse.ts';
import { type Asked, putAsked, readAsked } from './asked.ts';
import { estimate, type Speeds } from './estimate.ts';
import { failed, succeeded } from './reply.ts';

export interface DryRunDeps extends StepDeps {
  readonly replies: Pick<ReplyBox, 'send'>;
  readonly speeds: Speeds;
}

interface DryDelivery {
  /** How often a worker died with it. */
  readonly stalls: number;
  readonly signal: AbortSignal;
}

/** Gets the bytes of an address, and hands them to tier parse. What goes wrong is the reply. */
export function fetchDry(deps: DryRunDeps, payload: DryRunPayload, delivery: DryDelivery): Promise<void> {
  return replying(deps, payload, delivery, async ({ place, url, ...asked }) => {
    const { tenant } = payload;
    const { store, ...facts } = await openPlace(deps, tenant, place ?? { url: url as string }, delivery.signal);
    const { key, bytes } = await store((body, maxBytes) => storeOriginal(deps, tenant, body, maxBytes));
    await deps.quotas?.count(tenant, { bytes });
    await putAsked(deps.blobs, payload, { ...asked, ...facts, original: key });
    await deps.queue.add([{ name: 'dryRun', priority: 'high', payload }]);
    return undefined;
  });
}

/** Parses and cuts a document, and replies what would happen to it. */
export function parseDry(deps: DryRunDeps, payload: DryRunPayload, delivery: DryDelivery): Promise<void> {
  return replying(deps, payload, delivery, async ({ mediaType, filename, title, original }) => {
    const { tenant } = payload;
    await takeForStep(deps, tenant, { pages: 0 });
    const startedAt = deps.clock.now();
    const file = await deps.blobs.localFile(original as string);
    try {
      const input = { tenant, path: file.path, limits: deps.limits, declaredMediaType: mediaType, filename };
      const extraction = await deps.parser.parse(input, delivery.signal);
      await deps.quotas?.count(tenant, { pages: extraction.pages.length });
      return await estimate(extraction, {
        title: titleOf(extraction, title, filename ?? ''),
        parseSeconds: (deps.clock.now() - startedAt) / 1000,
        tokenizer: deps.tokenizer,
        speeds: deps.speeds,
        signal: delivery.signal,
      });
    } finally {
      await file.dispose();
    }
  });
}

/**
 * Sends what the work comes to, be it an error: somebody waits for it now, and it is not tried again. Undefined sends
 * nothing.
 */
async function replying(
  deps: DryRunDeps,
  payload: DryRunPayload,
  { stalls }: DryDelivery,
  work: (asked: Asked) => Promise<DryRun | undefined>,
): Promise<void> {
  if (deps.clock.now() > Date.parse(payload.until)) return;
  const asked = await readAsked(deps.blobs, payload);
  if (!asked) return;
  let reply: string | undefined;
  try {
    if (stalls >= maxKills) throw poison('parse', stalls);
    const dryRun = await work(asked);
    reply = dryRun && succeeded(dryRun);
  } catch (thrown) {
    const error = toMemoryError(thrown);
    if (error.code === 'internal') deps.logger.error('a dry run failed', { error });
    reply = failed(error);
  }
  if (reply !== undefined) await deps.replies.send(payload.tenant, payload.runId, reply);
}
