import { createWriteStream, existsSync, mkdirSync, openSync, renameSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';

const MAX_BYTES = 64 * 1024 * 1024;
const KEPT = 3;

/** A log that starts a new file at each start and when it grows too large; the last three are kept beside it. */
export interface LogFile {
  write: (line: string) => void;
  close: () => Promise<void>;
}

/** @param file such as `logs/api.log`; older ones are `logs/api.log.1`, `.2` and `.3` */
export function openLogFile(file: string, maxBytes = MAX_BYTES): LogFile {
  mkdirSync(dirname(file), { recursive: true });
  let written = 0;
  let stream = open();

  function open(): WriteStream {
    rotate(file);
    written = 0;
    // A full disk must not end the programs whose lines these are.
    return createWriteStream(file, { fd: openSync(file, 'w') }).on('error', () => {});
  }
  return {
    write(line) {
      const text = `${line}\n`;
      written += Buffer.byteLength(text);
      if (written > maxBytes) {
        stream.end();
        stream = open();
      }
      stream.write(text);
    },
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}

function rotate(file: string): void {
  if (!existsSync(file)) return;
  for (let n = KEPT - 1; n >= 1; n--) if (existsSync(`${file}.${n}`)) renameSync(`${file}.${n}`, `${file}.${n + 1}`);
  renameSync(file, `${file}.1`);
}
