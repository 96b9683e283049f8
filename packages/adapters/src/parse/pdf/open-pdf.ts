import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DOMMatrix, ImageData, Path2D } from '@napi-rs/canvas';
import { definePDFJSModule, getDocumentProxy } from 'unpdf';
import { corrupt, encrypted } from '../library-error.ts';

export type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>;

let ready: Promise<void> | undefined;

/**
 * unpdf over pdf.js's own legacy build: its bundled build cannot load the decoders, and CCITT, JPX and JBIG2 scans would
 * come out blank without an error. The globals must be there before that module is loaded.
 */
function setUp(): Promise<void> {
  ready ??= (async () => {
    Object.assign(globalThis, { DOMMatrix, Path2D, ImageData });
    await definePDFJSModule(() => import('pdfjs-dist/legacy/build/pdf.mjs'));
  })();
  return ready;
}

/** pdf.js wants plain folder paths ending in `/`; given `file:` URLs, CJK text is silently empty. */
function folder(name: string): string {
  return fileURLToPath(new URL(`./${name}/`, import.meta.resolve('pdfjs-dist/package.json')));
}

/**
 * Opens a PDF. Pictures are not limited here: pdf.js would leave a large one out without a word, where the cap on the
 * child's memory says what happened.
 * @throws MemoryError `encrypted_document`, `corrupt_document`
 */
export async function openPdf(path: string): Promise<PdfDocument> {
  await setUp();
  const bytes = new Uint8Array(await readFile(path));
  try {
    return await getDocumentProxy(bytes, {
      cMapUrl: folder('cmaps'),
      cMapPacked: true,
      standardFontDataUrl: folder('standard_fonts'),
      wasmUrl: folder('wasm'),
      iccUrl: folder('iccs'),
      useSystemFonts: false,
      disableFontFace: true,
      enableXfa: false,
      stopAtErrors: false,
      verbosity: 0,
    });
  } catch (error) {
    // pdf.js gives every document fault its own name: PasswordException, InvalidPDFException, FormatError, …
    if (error instanceof Error && error.name === 'PasswordException') throw encrypted('PDF', error);
    throw corrupt('PDF', error);
  }
}
