/** What the user sees: a few lines, each whole, and a progress bar below them. */
export interface Terminal {
  say: (message: string) => void;
  /** Draws the bar anew; on a pipe, a line for each tenth. */
  progress: (done: number, total: number, label: string) => void;
  endProgress: () => void;
}

const BAR_WIDTH = 30;

export function createTerminal(out: NodeJS.WriteStream = process.stdout): Terminal {
  // A closed terminal or pipe must not end the programs that run.
  out.on('error', () => {});
  let bar = '';
  let lastTenth = -1;
  return {
    say(message) {
      // The bar is overwritten by the message and drawn again under it.
      out.write(bar === '' ? `${message}\n` : `\r\u001b[K${message}\n${bar}`);
    },
    progress(done, total, label) {
      const share = total === 0 ? 1 : done / total;
      if (out.isTTY) {
        const full = Math.round(share * BAR_WIDTH);
        bar = `[${'='.repeat(full)}${' '.repeat(BAR_WIDTH - full)}] ${done}/${total} ${label}`;
        out.write(`\r\u001b[K${bar}`);
        return;
      }
      const tenth = Math.floor(share * 10);
      if (tenth === lastTenth) return;
      lastTenth = tenth;
      out.write(`[${'='.repeat(tenth)}${' '.repeat(10 - tenth)}] ${done}/${total} ${label}\n`);
    },
    endProgress() {
      if (bar !== '') out.write('\n');
      bar = '';
      lastTenth = -1;
    },
  };
}

const SAME_AGAIN_MS = 30_000;

/**
 * Shows warnings and errors from the JSON log lines of our processes; the same message of the same process at most twice
 * a minute, then with how often it came.
 */
export function createAlerts(say: (message: string) => void, now: () => number = Date.now) {
  const seen = new Map<string, { at: number; unsaid: number }>();
  return (process: string, line: string): void => {
    const alert = parseAlert(line);
    if (alert === undefined) return;
    const text = `[${process}] ${alert.level}: ${alert.message}${alert.detail}`;
    // Without the detail: ids and numbers in it would make every line a new one.
    const key = `${process} ${alert.message}`;
    const known = seen.get(key);
    if (known !== undefined && now() - known.at < SAME_AGAIN_MS) {
      known.unsaid++;
      return;
    }
    seen.set(key, { at: now(), unsaid: 0 });
    say(known === undefined || known.unsaid === 0 ? text : `${text} (and ${known.unsaid} more like it)`);
  };
}

function parseAlert(line: string): { level: string; message: string; detail: string } | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { level, message, error, document_id } = JSON.parse(line) as Record<string, unknown>;
    if ((level !== 'warn' && level !== 'error') || typeof message !== 'string') return undefined;
    const reason = typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : error;
    const document = typeof document_id === 'string' ? ` (document ${document_id})` : '';
    return { level, message, detail: `${document}${typeof reason === 'string' ? `: ${reason.split('\n')[0]}` : ''}` };
  } catch {
    // Not a line of ours; it is in the log file.
    return undefined;
  }
}
