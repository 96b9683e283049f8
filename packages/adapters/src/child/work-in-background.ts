import { setPriority } from 'node:os';

/** Of the 20 steps downwards half: a tenth of a core where another process wants it, all of it where none does. */
const backgroundPriority = 10;

/**
 * Lets a child give way to what somebody waits for, the API above all: parsing, OCR and embedding take every core
 * that they find.
 */
export function workInBackground(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, backgroundPriority);
  } catch {
    // It has died already, or this host does not allow it: then it works as every other process does.
  }
}
