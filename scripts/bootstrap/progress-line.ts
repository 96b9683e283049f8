import type { Progress } from './bootstrap.ts';

const barWidth = 24;

/** One line that is drawn over itself on a terminal, and nothing elsewhere. */
export function progressLine(stream: NodeJS.WriteStream): { show(progress: Progress): void; clear(): void } {
  if (!stream.isTTY) return { show: () => undefined, clear: () => undefined };
  return {
    show({ finished, total, file, stage }) {
      const full = total === 0 ? 0 : Math.round((barWidth * finished) / total);
      const bar = '█'.repeat(full) + '░'.repeat(barWidth - full);
      const line = `${bar} ${finished}/${total || '?'} ${stage} ${file}`.slice(0, (stream.columns || 80) - 1);
      stream.write(`\r\u001b[2K${line}`);
    },
    clear: () => stream.write('\r\u001b[2K'),
  };
}
