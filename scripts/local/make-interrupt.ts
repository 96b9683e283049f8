import { readFileSync } from 'node:fs';

/** SIGINT is signal 2; the masks of /proc count from bit 0. */
const interruptBit = 1n << 1n;

/**
 * Calls `whenInterrupted` once make was sent a SIGINT that did not reach us. A terminal sends it to both, and a program
 * that runs `make up` may send it to make alone. GNU make then takes its handler away and waits for the recipe, which
 * nobody has told anything: that the handler is gone is all that can be seen. Linux only, where /proc shows it.
 * @returns stops watching
 */
export function onMakeInterrupted(
  whenInterrupted: () => void,
  { parentPid = process.ppid, everyMs = 250 }: { parentPid?: number; everyMs?: number } = {},
): () => void {
  if (!catchesInterrupt(parentPid)) return () => {};
  const timer = setInterval(() => {
    if (catchesInterrupt(parentPid)) return;
    clearInterval(timer);
    whenInterrupted();
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Whether the process is a make that handles SIGINT; false also where there is no such process, or no /proc. */
function catchesInterrupt(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1];
    return /^Name:\s*g?make$/m.test(status) && caught !== undefined && (BigInt(`0x${caught}`) & interruptBit) !== 0n;
  } catch {
    return false;
  }
}
