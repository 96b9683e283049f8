import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createDice, type Dice } from '../dice.ts';
import { writeDocx } from './docx.ts';
import { markOf } from './mark.ts';
import { writePdf } from './pdf.ts';
import { drawPage } from './picture.ts';
import { paragraphOf, sentenceOf, topicOf } from './words.ts';

const kinds = {
  text: 34,
  markdown: 18,
  html: 10,
  docx: 7,
  pdf: 8,
  long: 3,
  scannedPdf: 2,
  mixedPdf: 2,
  image: 2,
  empty: 2,
  unsupported: 2,
  truncatedPdf: 2,
  encryptedPdf: 2,
  brokenImage: 1,
  blankImage: 1,
} as const;
export type ContentKind = keyof typeof kinds;

/** How a document with this content must end. */
export type ExpectedEnd = { readonly state: 'succeeded' } | { readonly state: 'failed'; readonly code: string };

/** What is sent for one version of a document, and what must come of it. */
export interface Content {
  readonly kind: ContentKind;
  readonly body:
    | { readonly text: string; readonly mediaType: string }
    | { readonly bytes: Uint8Array<ArrayBuffer>; readonly filename: string; readonly mediaType: string };
  /** Of the original, hexadecimal. */
  readonly sha256: string;
  /** Sentences that the text must hold word for word; where OCR reads them, most of their words. */
  readonly sentences: readonly string[];
  readonly readByOcr: boolean;
  readonly end: ExpectedEnd;
}

const succeeded: ExpectedEnd = { state: 'succeeded' };
const failed = (code: string): ExpectedEnd => ({ state: 'failed', code });

export const pickKind = (dice: Dice): ContentKind => dice.weighted<ContentKind>(kinds);

/**
 * The content of a document's n-th version, the same on every run.
 * @param index of the document; `ordinal` of the content, from 0
 */
export async function makeContent(seed: number, index: number, ordinal: number, kind: ContentKind): Promise<Content> {
  const dice = createDice((seed * 1_000_003 + index * 64 + ordinal) | 0);
  const mark = markOf(index, ordinal);
  const topic = topicOf(dice);
  const paragraphs = (count: number) => Array.from({ length: count }, () => paragraphOf(dice, topic, mark, 3));
  const readable = (body: Content['body'], sentences: readonly string[], readByOcr = false): Content => ({
    kind,
    body,
    sha256: sha256Of(body),
    sentences,
    readByOcr,
    end: succeeded,
  });
  const broken = (body: Content['body'], code: string): Content => ({
    ...readable(body, []),
    end: failed(code),
  });
  switch (kind) {
    case 'text': {
      const parts = paragraphs(dice.between(1, 3));
      return readable({ text: parts.join('\n\n'), mediaType: 'text/plain' }, parts);
    }
    case 'long': {
      const parts = paragraphs(dice.between(60, 140));
      return readable({ text: parts.join('\n\n'), mediaType: 'text/plain' }, parts);
    }
    case 'markdown': {
      const parts = paragraphs(dice.between(2, 5));
      const sections = parts.map((part) => `## About ${dice.pick(topic)}\n\n${part}`);
      return readable({ text: `# Notes ${mark}\n\n${sections.join('\n\n')}\n`, mediaType: 'text/markdown' }, parts);
    }
    case 'html': {
      const parts = paragraphs(dice.between(1, 4));
      const main = parts.map((part) => `<p>${part}</p>`).join('\n');
      const text = `<!doctype html><html><head><title>Page ${mark}</title></head><body>${main}</body></html>`;
      return readable({ text, mediaType: 'text/html' }, parts);
    }
    case 'docx': {
      const parts = paragraphs(dice.between(2, 6));
      return readable(upload(writeDocx(parts), `${mark}.docx`, 'application/octet-stream'), parts);
    }
    case 'pdf': {
      const parts = paragraphs(dice.between(1, 3));
      return readable(upload(await writePdf(parts.map((text) => ({ text }))), `${mark}.pdf`, 'application/pdf'), parts);
    }
    case 'scannedPdf': {
      const parts = Array.from({ length: dice.between(1, 2) }, () => spoken(dice, topic));
      const bytes = await writePdf(parts.map((pictureOf) => ({ pictureOf })));
      return readable(upload(bytes, `${mark}.pdf`, 'application/pdf'), parts, true);
    }
    case 'mixedPdf': {
      const parts = [...paragraphs(1), spoken(dice, topic)];
      const bytes = await writePdf([{ text: parts[0] ?? '' }, { pictureOf: parts[1] ?? '' }]);
      return readable(upload(bytes, `${mark}.pdf`, 'application/pdf'), parts, true);
    }
    case 'image': {
      const part = spoken(dice, topic);
      return readable(upload(await drawPage(part).png(), `${mark}.png`, 'image/png'), [part], true);
    }
    case 'empty':
      return broken({ text: ' \n'.repeat(1 + dice.below(9)), mediaType: 'text/plain' }, 'empty_document');
    case 'unsupported':
      return broken(await sample('firmware.bin', mark), 'unsupported_type');
    case 'truncatedPdf':
      return broken(await sample('truncated.pdf', mark), 'corrupt_document');
    case 'encryptedPdf':
      return broken(await sample('encrypted.pdf', mark), 'encrypted_document');
    case 'brokenImage': {
      const png = await drawPage(spoken(dice, topic)).png();
      return broken(upload(png.subarray(0, 200), `${mark}.png`, 'image/png'), 'corrupt_document');
    }
    case 'blankImage':
      return broken(upload(await drawPage('').png(), `${mark}.png`, 'image/png'), 'no_text_found');
    default: {
      const never: never = kind;
      throw new Error(`unknown kind ${String(never)}`);
    }
  }
}

/** Three sentences without a mark: OCR would misread it. */
const spoken = (dice: Dice, topic: readonly string[]) =>
  Array.from({ length: 3 }, () => sentenceOf(dice, topic)).join(' ');

const upload = (bytes: Uint8Array, filename: string, mediaType: string) => ({
  bytes: new Uint8Array(bytes),
  filename,
  mediaType,
});

/** A file of the sample library that must fail, with bytes at its end that make it one of a kind. */
async function sample(name: string, mark: string) {
  const path = fileURLToPath(new URL(`../../../../../memory/data-repo/sample-docs/${name}`, import.meta.url));
  return upload(Buffer.concat([await readFile(path), Buffer.from(`\n%${mark}\n`)]), `${mark}-${name}`, '');
}

function sha256Of(body: Content['body']): string {
  return createHash('sha256')
    .update('text' in body ? Buffer.from(body.text) : body.bytes)
    .digest('hex');
}
