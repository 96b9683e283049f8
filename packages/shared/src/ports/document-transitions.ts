import type { DocumentState } from '../contracts/model/document.ts';
import type { Scope } from '../contracts/model/ids.ts';
import type {
  AcceptedFacts,
  DocumentPatch,
  DocumentRecord,
  DocumentRow,
  LedgerDocument,
  VersionFacts,
  VersionRecord,
} from './ledger.ts';
import { sameJson } from './same-json.ts';

/*
 * How a document's record changes, as pure functions: every ledger applies these and only differs in how it makes the
 * change atomic.
 */

/** `active` where a version is, else the state of the latest one. */
export function documentState(document: DocumentRecord): DocumentState {
  if (document.activeVersion > 0) return 'active';
  return document.versions[0]?.state === 'failed' ? 'failed' : 'pending';
}

/** The document with an accepted version; `current` is undefined for the first one. Undefined where it is there already. */
export function addVersion(
  current: LedgerDocument | undefined,
  identity: Scope & { readonly documentId: string },
  version: VersionRecord,
  described: AcceptedFacts,
): LedgerDocument | undefined {
  if (current?.versions.some((known) => known.version === version.version)) return undefined;
  const versions = [...(current?.versions ?? []), version].sort((a, b) => b.version - a.version);
  const [latest] = versions as [VersionRecord];
  return show({
    tenant: identity.tenant,
    namespace: identity.namespace,
    documentId: identity.documentId,
    title: current?.title ?? described.title,
    metadata: current?.metadata ?? described.metadata,
    mediaType: current?.mediaType ?? version.mediaType,
    createdAt: current?.createdAt ?? described.createdAt ?? version.createdAt,
    updatedAt: version.createdAt,
    activeVersion: current?.activeVersion ?? 0,
    latestVersion: latest.version,
    versions,
    pending: { ...current?.pending, [version.version]: { title: described.title, metadata: described.metadata } },
  });
}

/** Undefined where the version is not known. */
export function describeVersion(
  current: LedgerDocument,
  version: number,
  facts: VersionFacts,
): LedgerDocument | undefined {
  const { title, ...rest } = facts;
  const next = replaceVersion(current, version, (known) => ({ ...known, ...rest }));
  if (!next) return undefined;
  const waiting = next.pending[version];
  // Without a waiting title either the version is active or someone has patched the title since: theirs stands.
  if (title === undefined || waiting?.title === undefined) return show(next);
  return show({ ...next, pending: { ...next.pending, [version]: { ...waiting, title } } });
}

export interface Activation {
  readonly outcome: 'activated' | 'replaced' | 'superseded' | 'gone';
  /** The version that was active before this one; 0 where none was. The same when asked again. */
  readonly previous: number;
  /** What the document is called, where the version is the active one now. */
  readonly title?: string;
  /** What to store; undefined where the version was not activated. */
  readonly document?: LedgerDocument;
}

/** An older version never wins over a newer one, and what was deleted stays so. */
export function activateVersion(
  current: LedgerDocument | undefined,
  version: number,
  at: string,
  facts: VersionFacts = {},
): Activation {
  const own = current?.versions.find((known) => known.version === version);
  if (!current || !own) return { outcome: 'gone', previous: 0 };
  if (current.activeVersion > version && own.state !== 'active') {
    return { outcome: 'superseded', previous: current.activeVersion };
  }
  // Versions become active in ascending order, so the one before is the newest older one that ever was.
  const previous = current.versions.find((known) => known.version < version && known.state === 'active')?.version ?? 0;
  if (current.activeVersion > version) return { outcome: 'replaced', previous };
  const described = describeVersion(current, version, facts) as LedgerDocument;
  // A retry has read more of it; where nothing is new, nothing is stored.
  if (current.activeVersion === version) {
    const changed = !sameJson(described, current);
    return { outcome: 'activated', previous, title: described.title, ...(changed ? { document: described } : {}) };
  }
  const next = replaceVersion(described, version, (known) => {
    return { ...known, state: 'active', activeFrom: known.activeFrom ?? at };
  }) as LedgerDocument;
  const pending = Object.fromEntries(Object.entries(next.pending).filter(([key]) => Number(key) > version));
  const waiting = next.pending[version];
  const document = show({
    ...next,
    title: waiting?.title ?? next.title,
    metadata: waiting?.metadata ?? next.metadata,
    activeVersion: version,
    updatedAt: at,
    pending,
  });
  return { outcome: 'activated', previous, title: document.title, document };
}

/** Undefined where the version is not known, or active. */
export function failVersion(current: LedgerDocument, version: number, at: string): LedgerDocument | undefined {
  const known = current.versions.find((one) => one.version === version);
  if (known?.state !== 'pending') return undefined;
  const next = replaceVersion(current, version, (one) => ({ ...one, state: 'failed' }));
  return next && { ...next, updatedAt: at };
}

/** A version that was accepted after the wish brings its own title and metadata, whichever is recorded first. */
export function patchDocument(current: LedgerDocument, { title, metadata }: DocumentPatch, at: string): LedgerDocument {
  const pending = Object.fromEntries(
    Object.entries(current.pending).map(([version, waiting]) => [
      version,
      {
        ...(waiting.title !== undefined && !isAbout(title, version) ? { title: waiting.title } : {}),
        ...(waiting.metadata !== undefined && !isAbout(metadata, version) ? { metadata: waiting.metadata } : {}),
      },
    ]),
  );
  const next = {
    ...current,
    ...(title && isAbout(title, current.activeVersion) ? { title: title.value } : {}),
    ...(metadata && isAbout(metadata, current.activeVersion) ? { metadata: metadata.value } : {}),
    pending,
  };
  return sameJson(next, current) ? current : { ...next, updatedAt: at };
}

const isAbout = (wish: { readonly upToVersion: number } | undefined, version: number | string): boolean =>
  wish !== undefined && Number(version) <= wish.upToVersion;

/**
 * Without a version that is no longer kept. Undefined where it is not known, or active, or the latest: those stay.
 */
export function forgetVersion(current: LedgerDocument, version: number): LedgerDocument | undefined {
  if (version === current.activeVersion || version === current.versions[0]?.version) return undefined;
  const versions = current.versions.filter((known) => known.version !== version);
  return versions.length === current.versions.length ? undefined : { ...current, versions };
}

/** Without a version that was never accepted. Undefined where it is not known, or active, or the only one. */
export function withdrawVersion(current: LedgerDocument, version: number): LedgerDocument | undefined {
  const versions = current.versions.filter((known) => known.version !== version);
  const [latest] = versions;
  if (!latest || versions.length === current.versions.length || current.activeVersion === version) return undefined;
  const { [String(version)]: _withdrawn, ...pending } = current.pending;
  return show({ ...current, versions, latestVersion: latest.version, pending });
}

/** When a version became active, in milliseconds since 1970. @param known one that was */
const activeFromMs = (known: VersionRecord) => Date.parse(known.activeFrom ?? known.createdAt);

/**
 * From when on a version was no longer the active one, in milliseconds since 1970: since the next newer one was
 * active. Undefined while none is.
 */
export function replacedAtMs(document: DocumentRecord, version: number): number | undefined {
  const newer = document.versions.findLast((known) => known.version > version && known.state === 'active');
  return newer && activeFromMs(newer);
}

/** The period in which a version was active; undefined where it never was or still is. */
export function activePeriod(document: DocumentRecord, version: number): { from: number; to: number } | undefined {
  const known = document.versions.find((one) => one.version === version);
  const to = replacedAtMs(document, version);
  return known?.state === 'active' && to !== undefined ? { from: activeFromMs(known), to } : undefined;
}

/** The version that was active at a moment (milliseconds since 1970); 0 where none was that is still kept. */
export function versionAt(row: DocumentRow, atMs: number): number {
  if ((row.activeFrom ?? Number.NEGATIVE_INFINITY) <= atMs) return row.activeVersion;
  return row.former?.find(([, activeFrom]) => activeFrom <= atMs)?.[0] ?? 0;
}

/** What a search has to know; undefined while no version is active. */
export function rowOf(document: DocumentRecord): DocumentRow | undefined {
  const active = document.versions.find((known) => known.version === document.activeVersion);
  if (!active) return undefined;
  const former = document.versions.filter((known) => known.state === 'active' && known !== active);
  return {
    documentId: document.documentId,
    activeVersion: active.version,
    title: document.title,
    metadata: document.metadata,
    mediaType: active.mediaType,
    createdAt: document.createdAt,
    chunks: active.chunks,
    ...(active.run ? { run: active.run } : {}),
    activeFrom: activeFromMs(active),
    ...(former.length > 0 ? { former: former.map((known) => [known.version, activeFromMs(known)] as const) } : {}),
  };
}

/** The row of a document that is gone. */
export const goneRow = (documentId: string): DocumentRow => ({
  documentId,
  activeVersion: 0,
  title: '',
  metadata: {},
  mediaType: '',
  createdAt: '',
  chunks: 0,
});

/** Without what only the ledger needs. */
export function documentRecord({ pending: _pending, ...record }: LedgerDocument): DocumentRecord {
  return record;
}

function replaceVersion(
  current: LedgerDocument,
  version: number,
  change: (known: VersionRecord) => VersionRecord,
): LedgerDocument | undefined {
  if (!current.versions.some((known) => known.version === version)) return undefined;
  return { ...current, versions: current.versions.map((one) => (one.version === version ? change(one) : one)) };
}

/** The document speaks of its active version, else of its latest. */
function show(document: LedgerDocument): LedgerDocument {
  const [latest] = document.versions as [VersionRecord];
  const shown = document.versions.find((known) => known.version === document.activeVersion) ?? latest;
  const waiting = document.activeVersion === 0 ? document.pending[shown.version] : undefined;
  return {
    ...document,
    mediaType: shown.mediaType,
    title: waiting?.title ?? document.title,
    metadata: waiting?.metadata ?? document.metadata,
  };
}
