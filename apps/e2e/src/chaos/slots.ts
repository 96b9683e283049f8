import type { JobState } from '@semantic-memory/shared/contracts/model/job';
import type { Content } from './contents/content.ts';

/** What is remembered of a content once it was sent. */
export type ContentFacts = Omit<Content, 'body'>;

/** A version that the service has accepted: it answered 202. */
export interface AcceptedVersion {
  /** Which content of the document, from 0. */
  readonly ordinal: number;
  readonly content: ContentFacts;
  readonly jobId: string;
  readonly version: number;
  /** Whether it was sent with an Idempotency-Key; batches have none. */
  readonly keyed: boolean;
  /** How often the document had been deleted before: a delete ends the life of all its versions. */
  readonly life: number;
  /** Whether a cancel was answered as done. `maybe`: it was asked for, and the answer was lost. */
  cancelled: 'no' | 'maybe' | 'yes';
  /** Moves on when a retry is asked for, and when it was answered: an end that was seen before means nothing then. */
  retries: number;
  /** Its end, as it was last seen, with the `retries` from before the look. */
  end?: {
    readonly state: JobState;
    readonly code: string | undefined;
    readonly retries: number;
    readonly seenAt: number;
  };
}

/** One document of the run, from the first request to the last check. */
export interface Slot {
  /** Names it in the history. */
  readonly key: string;
  readonly index: number;
  readonly tenant: string;
  readonly namespace: string;
  /** Whether its id was chosen by us, or is made up by the service. */
  readonly named: boolean;
  /** Known from the start where it is named, else from the first answer on. */
  documentId: string | undefined;
  readonly versions: AcceptedVersion[];
  /** How often it was deleted. */
  lives: number;
  /** When a delete was asked for, and when it was answered. The answer has no time while it is under way. */
  readonly deletes: { readonly askedAt: number; doneAt?: number }[];
  /** Contents, by their ordinal, that were refused with 503 and not sent again: nothing of them may ever be seen. */
  readonly refused: Map<number, ContentFacts>;
  /** A batch was sent whose answer was lost: it may have been taken in twice. */
  doubtful: boolean;
  /** Requests about one document go one after the other, so that their order is known. */
  turn: Promise<void>;
}

export interface SlotSettings {
  readonly index: number;
  readonly tenant: string;
  readonly namespace: string;
  readonly named: boolean;
}

export function newSlot({ index, tenant, namespace, named }: SlotSettings): Slot {
  return {
    key: `${tenant}/${index}`,
    index,
    tenant,
    namespace,
    named,
    // Two tenants share every id: what one of them sees must never be the other's.
    documentId: named ? `doc-${Math.floor(index / 2)}` : undefined,
    versions: [],
    lives: 0,
    deletes: [],
    refused: new Map(),
    doubtful: false,
    turn: Promise.resolve(),
  };
}

/** Whether a delete was asked for after which nothing new was sent. */
export const isDeleted = (slot: Slot): boolean => livingVersions(slot).length === 0 && slot.lives > 0;

/** The versions since the last delete, in the order in which they were accepted. */
export const livingVersions = (slot: Slot): AcceptedVersion[] =>
  slot.versions.filter(({ life }) => life === slot.lives);

/** Whether a version has not ended, or may be open again after a retry. */
export const isOpenVersion = (version: AcceptedVersion): boolean =>
  version.end === undefined || version.end.retries < version.retries;

/** When the last delete of the life that a version belongs to was answered, if it was. */
export const deletedAt = (slot: Slot, version: AcceptedVersion): number | undefined =>
  slot.deletes[version.life]?.doneAt;

/** Whether a delete of that life was asked for. */
export const isDeleteAsked = (slot: Slot, version: AcceptedVersion): boolean =>
  slot.deletes[version.life] !== undefined;
