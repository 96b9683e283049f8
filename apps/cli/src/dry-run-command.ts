import { ApiError } from '@semantic-memory/client/api-error';
import type { Client } from '@semantic-memory/client/client';
import { inParallel } from '@semantic-memory/client/in-parallel';
import type { IngestFields } from '@semantic-memory/client/inputs';
import type { DryRun } from '@semantic-memory/shared/contracts/model/dry-run';
import { bold, type Io, oneLine, printable } from './io.ts';
import { findTargets } from './targets.ts';
import { UsageError } from './token.ts';

export interface DryRunCommandOptions {
  readonly fields: IngestFields;
  readonly concurrency: number;
  readonly json: boolean;
}

type Outcome = { readonly path: string } & ({ readonly dryRun: DryRun } | { readonly error: ToldError });

interface ToldError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Says what ingesting the paths would come to. True where each of them can be ingested. */
export async function runDryRun(
  client: Client,
  io: Io,
  paths: string[],
  { fields, concurrency, json }: DryRunCommandOptions,
): Promise<boolean> {
  const targets = await findTargets(paths);
  if (targets.length === 0) throw new UsageError('There is nothing to ingest there.');
  const outcomes = await inParallel(targets, concurrency, async (target): Promise<Outcome> => {
    try {
      return { path: target.name, dryRun: await target.dryRun(client, { ...fields, signal: io.signal }) };
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.code === 'unreachable' || thrown.code === 'unauthenticated')
        throw thrown;
      return { path: target.name, error: { code: thrown.code, message: thrown.message, hint: thrown.hint } };
    }
  });
  const runs = outcomes.flatMap((outcome) => ('dryRun' in outcome ? [outcome.dryRun] : []));
  const sum = (of: (run: DryRun) => number) => runs.reduce((total, run) => total + of(run), 0);
  const totals = {
    documents: runs.length,
    refused: outcomes.length - runs.length,
    chunks: sum((run) => run.chunks),
    tokens: sum((run) => run.tokens),
    ocrPages: sum((run) => run.ocrPages),
    estimatedSeconds: sum((run) => run.estimatedSeconds),
    estimatedCostUsd: sum((run) => run.estimatedCostUsd),
  };
  if (json) io.out(`${JSON.stringify({ ...totals, items: outcomes }, null, 2)}\n`);
  else {
    for (const outcome of outcomes) io.out(describe(io, outcome));
    const { documents, refused, chunks, tokens, ocrPages } = totals;
    const usd = totals.estimatedCostUsd;
    const costs = `${totals.estimatedSeconds.toFixed(1)} s${usd > 0 ? ` and $${usd.toFixed(4)}` : ''}`;
    io.out(
      `${bold(io, `${documents} of ${outcomes.length} would be ingested`)}${refused ? `, ${refused} not` : ''}: ` +
        `${many(chunks, 'chunk')}, ${many(tokens, 'token')}, ${many(ocrPages, 'page')} by OCR, about ${costs}\n`,
    );
  }
  return totals.refused === 0;
}

function describe(io: Io, outcome: Outcome): string {
  const path = oneLine(outcome.path);
  if ('error' in outcome) {
    const { code, message, hint = '' } = outcome.error;
    return `${bold(io, `refused   ${path}`)}\n          ${`${code}: ${printable(message)} ${hint}`.trimEnd()}\n`;
  }
  const { mediaType, pages, ocrPages, chunks, tokens, warnings } = outcome.dryRun;
  const ocr = ocrPages > 0 ? ` (${ocrPages} by OCR)` : '';
  const told = warnings.map(({ code, message }) => `          ${code}: ${printable(message)}\n`).join('');
  const size = `${many(pages, 'page')}${ocr}, ${many(chunks, 'chunk')}, ${many(tokens, 'token')}`;
  return `would     ${path}  ${mediaType}, ${size}\n${told}`;
}

const many = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
