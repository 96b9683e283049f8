import { stageNames } from '@semantic-memory/shared/contracts/model/job';
import type { DocumentReport, Report } from './report.ts';
import { percent } from './verify.ts';

/** The report as a table for people: each document, then queries and counts, then what is slow and what is off. */
export function renderReport(report: Report): string {
  const head = ['document', 'ended', 'chunks', 'seconds', 'OCR error'];
  const rows = report.documents.map((document) => [
    document.file,
    document.code ?? document.state,
    String(document.chunks),
    document.seconds.toFixed(2),
    document.characterErrorRate === undefined ? '' : percent(document.characterErrorRate),
  ]);
  const found = report.queries.filter((query) => query.ok).length;
  const { documentChunks, vectors, consistent } = report.counts;
  const lines = [
    renderTable([head, ...rows]),
    '',
    `${report.documents.length} documents in ${report.seconds.toFixed(1)} s`,
    ...(report.queries.length > 0
      ? [`${found} of ${report.queries.length} queries found their documents among the first three hits`]
      : []),
    `${documentChunks} chunks in the ledger, ${vectors} vectors, stores ${consistent ? 'agree' : 'do not agree'}`,
    ...report.slow.map((document) => `slow (over ${report.slowSeconds} s): ${renderStages(document)}`),
    ...report.discrepancies.map(({ kind, subject, message }) => `OFF (${kind}): ${subject}: ${message}`),
    `log: ${report.logPath}`,
    report.ok ? 'everything is as it must be' : `${report.discrepancies.length} things are not as they must be`,
  ];
  return `${lines.join('\n')}\n`;
}

function renderStages(document: DocumentReport): string {
  const ran = stageNames.flatMap((name) => {
    const seconds = document.stageSeconds[name];
    return seconds === undefined ? [] : [{ name, seconds }];
  });
  const waited = document.seconds - ran.reduce((sum, { seconds }) => sum + seconds, 0);
  const parts = [...ran, { name: 'waiting', seconds: Math.max(0, waited) }];
  const times = parts.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)}`).join(', ');
  return `${document.file} took ${document.seconds.toFixed(1)} s (${times})`;
}

function renderTable(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  // Names to the left, numbers to the right.
  const cell = (text: string, column: number) =>
    column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n');
}
