import type { PdfDocument } from '../parse/pdf/open-pdf.ts';

type PdfPage = Awaited<ReturnType<PdfDocument['getPage']>>;

/**
 * Whether a page that came out blank has a picture that was not drawn. pdf.js goes on without a picture that it cannot
 * decode and keeps nothing under its name; such a page is not empty but unread. A picture that was decoded and is all of
 * one colour is the back of a scanned sheet. To be asked after rendering, before the page is cleaned up.
 */
export async function hasUndrawnImage(page: PdfPage): Promise<boolean> {
  const pictures = [...page.objs, ...page.commonObjs].filter(([name]) => name.includes('img_'));
  if (pictures.some(([, data]) => !data)) return true;
  return pictures.length === 0 && (await hasImageOperator(page));
}

async function hasImageOperator(page: PdfPage): Promise<boolean> {
  const { OPS } = await import('pdfjs-dist/legacy/build/pdf.mjs');
  const painting = new Set<number>([
    OPS.paintImageXObject,
    OPS.paintImageXObjectRepeat,
    OPS.paintImageMaskXObject,
    OPS.paintImageMaskXObjectRepeat,
  ]);
  const { fnArray } = await page.getOperatorList();
  return fnArray.some((operator) => painting.has(operator));
}
