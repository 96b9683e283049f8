import { resolve } from 'node:path';
import { isModeName, type ModeName, searchModes } from './modes.ts';

export const parts = ['retrieval', 'answers', 'chunking', 'ocr'] as const;
export type Part = (typeof parts)[number];

export interface Settings {
  readonly folders: readonly string[];
  readonly modes: readonly ModeName[];
  readonly parts: readonly Part[];
  readonly maxQueries: number;
  readonly seed: number;
  readonly resamples: number;
  readonly output: string;
  /** Kept between runs where given; else a folder of its own that is removed at the end. */
  readonly dataDir?: string;
  /** Two earlier reports to compare, instead of an evaluation. */
  readonly compare?: readonly [string, string];
  /** What a second run has in its environment; both are then compared. */
  readonly against?: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What `make eval` is told by its environment. @throws Error naming the variable that is malformed */
export function readSettings(env: Environment, shippedSets: string): Settings {
  const modeNames = Object.keys(searchModes).filter(isModeName);
  const compare = listOf(env.EVAL_COMPARE);
  if (compare && compare.length !== 2) throw new Error('EVAL_COMPARE must be two files with a comma between them');
  return {
    folders: listOf(env.EVAL_SETS) ?? [shippedSets],
    modes: chosenOf(env, 'EVAL_MODES', modeNames),
    parts: chosenOf(env, 'EVAL_PARTS', parts),
    maxQueries: countOf(env, 'EVAL_QUERIES') ?? Number.POSITIVE_INFINITY,
    seed: countOf(env, 'EVAL_SEED') ?? 1,
    resamples: countOf(env, 'EVAL_RESAMPLES') ?? 10_000,
    output: resolve(env.EVAL_OUTPUT || '.data/eval'),
    ...(env.EVAL_DATA ? { dataDir: resolve(env.EVAL_DATA) } : {}),
    ...(compare ? { compare: [compare[0] as string, compare[1] as string] as const } : {}),
    ...(env.EVAL_AGAINST ? { against: assignmentsOf(env.EVAL_AGAINST) } : {}),
  };
}

const listOf = (text: string | undefined) => {
  const parts = (text ?? '').split(',').map((part) => part.trim());
  const given = parts.filter((part) => part !== '');
  return given.length === 0 ? undefined : given;
};

function chosenOf<Name extends string>(env: Environment, variable: string, names: readonly Name[]): readonly Name[] {
  const asked = listOf(env[variable]) ?? names;
  const unknown = asked.find((name) => !names.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`${variable} has ${unknown}; there are ${names.join(', ')}`);
  return names.filter((name) => asked.includes(name));
}

function countOf(env: Environment, name: string): number | undefined {
  const text = env[name];
  if (!text) return undefined;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`${name} must be a whole number of at least 1`);
  return count;
}

function assignmentsOf(text: string): Record<string, string> {
  const pairs = text.trim().split(/\s+/);
  for (const pair of pairs) {
    if (!/^[A-Z_]+=/.test(pair)) throw new Error(`EVAL_AGAINST has ${pair}; it takes NAME=value NAME=value`);
  }
  return Object.fromEntries(pairs.map((pair) => [pair.split('=', 1)[0] ?? '', pair.slice(pair.indexOf('=') + 1)]));
}
