import type { EmbeddingCount } from './check/check-embedding.ts';
import type { RunState } from './run-state.ts';

export interface Checked {
  readonly chunks: number;
  readonly blobs: number;
  readonly keys: number;
  readonly embedding: EmbeddingCount;
  readonly quietAfterMs: number;
  readonly checkedInMs: number;
}

/** The last lines of a document's history that stand below its violations. */
const linesOfHistory = 12;

/** What people read at the end of a run. The last line is the verdict. */
export function verdictText(
  state: RunState,
  minutes: number,
  checked: Checked | undefined,
  historyPath: string,
): string {
  const slots = [...state.slots.values()];
  const versions = slots.flatMap((slot) => slot.versions);
  const healed = state.faults.filter(({ recoveredMs }) => recoveredMs !== undefined);
  const lines = [
    `seed ${state.seed}, ${minutes} minutes`,
    `documents: ${slots.length}, accepted versions: ${versions.length}, deletes: ${slots.reduce((sum, { deletes }) => sum + deletes.length, 0)}`,
    `ended: ${counted(versions.map(({ end }) => (end ? `${end.state}${end.code ? ` (${end.code})` : ''}` : 'not')))}`,
    `faults: ${state.faults.length}; ${counted(state.faults.map(({ kind }) => kind))}`,
    `refused with 503: ${times(state.refusalsMs)}`,
    `recovery: ${times(healed.map(({ recoveredMs }) => recoveredMs ?? 0))}`,
    ...[...Map.groupBy(healed, ({ kind }) => kind)].map(
      ([kind, faults]) => `  ${kind}: ${times(faults.map(({ recoveredMs }) => recoveredMs ?? 0))}`,
    ),
    ...(checked
      ? [
          `all had ended and agreed ${seconds(checked.quietAfterMs)} after the last fault; checked in ${seconds(checked.checkedInMs)}`,
          `chunks that found themselves or were looked for: ${checked.chunks}; blobs read: ${checked.blobs}; keys of Redis read: ${checked.keys}`,
          `texts embedded by the endpoint: ${checked.embedding.texts}, different: ${checked.embedding.different}, allowed: ${checked.embedding.allowed}`,
        ]
      : []),
    ...(state.notes.size > 0
      ? [`notes: ${[...state.notes].map(([what, count]) => `${what} ${count}`).join(', ')}`]
      : []),
    `history: ${historyPath}`,
  ];
  for (const [document, violations] of Map.groupBy(state.violations, ({ document }) => document)) {
    for (const { kind, message, at } of violations) {
      lines.push(`VIOLATION ${kind} at ${seconds(at)}${document ? ` (${document})` : ''}: ${message}`);
    }
    if (document === undefined) continue;
    const told = state.history.about(document).filter((line) => !line.includes('"type":"violation"'));
    for (const line of told.slice(-linesOfHistory)) lines.push(`    ${line}`);
  }
  const kinds = counted(state.violations.map(({ kind }) => kind));
  lines.push(state.violations.length === 0 ? 'PASS' : `FAIL: ${kinds}`);
  return lines.join('\n');
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

function counted(names: readonly string[]): string {
  const counts = [...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length] as const);
  return counts
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

function times(all: readonly number[]): string {
  if (all.length === 0) return 'none';
  const sorted = [...all].sort((a, b) => a - b);
  return `median ${seconds(sorted[Math.floor(sorted.length / 2)] ?? 0)}, longest ${seconds(sorted.at(-1) ?? 0)} (${all.length})`;
}
