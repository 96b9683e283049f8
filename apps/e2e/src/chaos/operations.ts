import { type ContentKind, pickKind } from './contents/content.ts';
import { createDice, type Dice } from './dice.ts';
import type { SlotSettings } from './slots.ts';

export const tenants = ['chaos-a', 'chaos-b'] as const;

/** The first is embedded by the shipped model, the second by an endpoint that counts. */
export const namespaces = ['default', 'counted'] as const;

export interface PlannedContent {
  readonly index: number;
  readonly ordinal: number;
  readonly kind: ContentKind;
}

/** One thing that users do. */
export type Operation =
  | {
      readonly name: 'create';
      readonly slot: SlotSettings;
      readonly content: PlannedContent;
      /** Whether a 503 is taken for an answer; others send until they are heard. */
      readonly patient: boolean;
      /** So many requests with the same key at the same time. */
      readonly atOnce: number;
    }
  | { readonly name: 'batch'; readonly items: readonly { slot: SlotSettings; content: PlannedContent }[] }
  | { readonly name: 'version'; readonly index: number; readonly content: PlannedContent }
  | { readonly name: 'repeat'; readonly index: number; readonly changed: boolean }
  | { readonly name: 'cancel' | 'retry' | 'delete'; readonly index: number };

const weights = { create: 62, batch: 2, version: 12, repeat: 5, cancel: 6, retry: 5, delete: 8 };
/** Cancels, and half of the others, are about a document that is still on its way. */
const recently = 12;

/** One document for each tenant and namespace, which gives every namespace its model. */
export const primers: readonly { slot: SlotSettings; content: PlannedContent }[] = namespaces.flatMap(
  (namespace, pair) =>
    tenants.map((tenant, side) => {
      const index = pair * tenants.length + side;
      return {
        slot: { index, tenant, namespace, named: true },
        content: { index, ordinal: 0, kind: 'markdown' as const },
      };
    }),
);

/** Everything that users do, in its order, without end. It follows from the seed alone. */
export function* planOperations(seed: number): Generator<Operation> {
  const dice = createDice(seed * 31);
  let next = primers.length;
  const contents = new Map<number, number>();
  const named = new Set<number>();

  const create = () => {
    const index = next;
    next += 1;
    const slot: SlotSettings = {
      index,
      tenant: tenants[index % 2] ?? tenants[0],
      namespace: dice.chance(0.35) ? 'counted' : 'default',
      named: dice.chance(0.75),
    };
    if (slot.named) named.add(index);
    return { slot, content: { index, ordinal: 0, kind: pickKind(dice) } };
  };
  const target = (mostRecent: boolean) =>
    mostRecent || dice.chance(0.5) ? Math.max(0, next - 1 - dice.below(recently)) : dice.below(next);

  for (;;) {
    const name = dice.weighted<Operation['name']>(weights);
    switch (name) {
      case 'create':
        yield { name, ...create(), patient: dice.chance(0.85), atOnce: dice.chance(0.06) ? dice.between(2, 8) : 1 };
        break;
      case 'batch': {
        // Named, so that a batch whose answer was lost can be recognised.
        const items = Array.from({ length: dice.between(3, 12) }, create).map((item) => {
          named.add(item.slot.index);
          return { slot: { ...item.slot, named: true }, content: { ...item.content, kind: batchKind(dice) } };
        });
        yield { name, items };
        break;
      }
      case 'version': {
        const index = target(false);
        if (!named.has(index)) break;
        const ordinal = (contents.get(index) ?? 0) + 1;
        if (ordinal >= 64) break;
        contents.set(index, ordinal);
        yield { name, index, content: { index, ordinal, kind: pickKind(dice) } };
        break;
      }
      case 'repeat':
        yield { name, index: target(false), changed: dice.chance(0.3) };
        break;
      case 'cancel':
      case 'retry':
      case 'delete':
        yield { name, index: target(name === 'cancel') };
        break;
      default: {
        const never: never = name;
        throw new Error(`unknown operation ${String(never)}`);
      }
    }
  }
}

/** What JSON can carry. */
const batchKind = (dice: Dice): ContentKind => dice.pick(['text', 'markdown', 'html', 'text', 'empty']);
