import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const generator = fileURLToPath(new URL('../../../scripts/samples/large-pdf.ts', import.meta.url));

/** The sample library's PDF of any length: text on every page, no page like another. */
export async function largePdf(pages: number): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'semantic-memory-bench-'));
  const path = join(folder, 'large.pdf');
  try {
    await promisify(execFile)(process.execPath, [generator, '--pages', String(pages), path]);
    return new Uint8Array(await readFile(path));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
