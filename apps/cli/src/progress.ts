import cliProgress from 'cli-progress';
import { type Io, oneLine } from './io.ts';

/** Shows how far an ingest is: a bar in all and a line for each file at work, where somebody watches. */
export interface Progress {
  /** A file at work: its stage, and its share done from 0 to 1. */
  update(name: string, stage: string, share: number): void;
  finish(name: string): void;
  stop(): void;
}

const silent: Progress = { update: () => undefined, finish: () => undefined, stop: () => undefined };

export function createProgress(io: Io, total: number): Progress {
  if (!io.progressStream) return silent;
  const bars = new cliProgress.MultiBar(
    {
      stream: io.progressStream,
      format: '{bar} {percentage}% {label}',
      barsize: 20,
      hideCursor: true,
      clearOnComplete: true,
      // Lines that end are removed; the results stand below the bar afterwards.
      stopOnComplete: false,
    },
    cliProgress.Presets.shades_classic,
  );
  let finished = 0;
  const label = () => ({ label: `${finished}/${total} files` });
  const all = bars.create(total, 0, label());
  const lines = new Map<string, cliProgress.SingleBar>();
  return {
    update(name, stage, share) {
      const line = lines.get(name) ?? bars.create(1, 0, { label: '' });
      lines.set(name, line);
      line.update(share, { label: `${stage.padEnd(7)} ${shorten(oneLine(name), Math.max(20, io.columns - 50))}` });
    },
    finish(name) {
      const line = lines.get(name);
      if (line) bars.remove(line);
      lines.delete(name);
      finished += 1;
      all.update(finished, label());
    },
    stop: () => bars.stop(),
  };
}

/** The end of a path says more than its beginning. */
function shorten(name: string, length: number): string {
  return name.length <= length ? name : `…${name.slice(name.length - length + 1)}`;
}
