import { cancel, remove, retry } from './act-on-documents.ts';
import { makeContent } from './contents/content.ts';
import { pause } from './fleet/managed-process.ts';
import { type Operation, planOperations, primers } from './operations.ts';
import { type RunState, violate } from './run-state.ts';
import { keyOf, remember, repeat, send, submit, submitBatch } from './send-documents.ts';
import { newSlot, type Slot, type SlotSettings } from './slots.ts';

export interface DriverSettings {
  /** Operations a second, where the service keeps up. */
  readonly perSecond: number;
  /** No more documents than this are on their way at a time. */
  readonly mostOpen: number;
  readonly openJobs: () => number;
  /** After this no request is repeated any more. */
  readonly giveUpAt: () => number;
}

/** Sends the first documents, before any fault, so that every namespace exists. */
export async function sendPrimers(state: RunState): Promise<void> {
  for (const { slot: slotSettings, content } of primers) {
    const slot = addSlot(state, slotSettings);
    // The API that first hears of a namespace gives it its model.
    const api = slotSettings.namespace === 'default' ? 0 : 1;
    const made = await makeContent(state.seed, content.index, content.ordinal, content.kind);
    const job = await send(state, slot, made, keyOf(slot, content), api);
    remember(state, slot, content, made, job);
  }
}

/** Does what users do until the signal fires, then waits for the answers that are missing. */
export async function driveOperations(state: RunState, settings: DriverSettings, signal: AbortSignal): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const mostUnderWay = 60;
  for (const operation of planOperations(state.seed)) {
    while (!signal.aborted && (underWay.size >= mostUnderWay || settings.openJobs() >= settings.mostOpen)) {
      await pause(50);
    }
    if (signal.aborted) break;
    const work = perform(state, settings, operation)
      .catch((error: unknown) => violate(state, 'driver', `${operation.name}: ${String((error as Error).stack)}`))
      .finally(() => underWay.delete(work));
    underWay.add(work);
    await pause(1000 / settings.perSecond);
  }
  await Promise.all(underWay);
}

function addSlot(state: RunState, settings: SlotSettings): Slot {
  const slot = newSlot(settings);
  state.slots.set(slot.index, slot);
  return slot;
}

/** Does something with a document once the requests before are answered. */
function inTurn(slot: Slot, act: () => Promise<void>): Promise<void> {
  const turn = slot.turn.then(act);
  // A failure is whoever's who waits for it; the next in turn goes on.
  slot.turn = turn.catch(() => {});
  return turn;
}

async function perform(state: RunState, settings: DriverSettings, operation: Operation): Promise<void> {
  switch (operation.name) {
    case 'create': {
      const slot = addSlot(state, operation.slot);
      return inTurn(slot, () => submit(state, settings, slot, operation.content, operation));
    }
    case 'batch': {
      const slots = operation.items.map((item) => addSlot(state, item.slot));
      const contents = operation.items.map((item) => item.content);
      const sending = submitBatch(state, settings, slots, contents);
      for (const slot of slots) slot.turn = sending.catch(() => {});
      return sending;
    }
    default: {
      const slot = state.slots.get(operation.index);
      if (!slot) return;
      return inTurn(slot, () => {
        switch (operation.name) {
          case 'version':
            return submit(state, settings, slot, operation.content, { patient: true, atOnce: 1 });
          case 'repeat':
            return repeat(state, settings, slot, operation.changed);
          case 'cancel':
            return cancel(state, settings, slot);
          case 'retry':
            return retry(state, settings, slot);
          case 'delete':
            return remove(state, settings, slot);
          default: {
            const never: never = operation;
            throw new Error(`unknown operation ${String(never)}`);
          }
        }
      });
    }
  }
}
