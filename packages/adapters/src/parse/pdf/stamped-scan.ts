import { getResolvedPDFJS } from 'unpdf';
import type { PdfDocument } from './open-pdf.ts';
import type { TextItem } from './page-lines.ts';

type PdfPage = Awaited<ReturnType<PdfDocument['getPage']>>;

/** Of a page's height, at its top and at its bottom. */
const marginShare = 0.1;
/** A scan may leave out the edges of its page. */
const scanShare = 0.8;

/**
 * Whether a page is a picture with a stamp, a number or the line of a fax machine: all its text stands at the top and
 * bottom, over or beside pictures that cover the page. The pictures are decoded for it.
 */
export async function isStampedScan(page: PdfPage, items: readonly TextItem[]): Promise<boolean> {
  const viewport = page.getViewport({ scale: 1 });
  const isInMargin = ({ transform }: TextItem) => {
    const [, y] = viewport.convertToViewportPoint(transform[4]!, transform[5]!) as [number, number];
    return y < marginShare * viewport.height || y > (1 - marginShare) * viewport.height;
  };
  if (!items.every((item) => item.str.trim() === '' || isInMargin(item))) return false;
  const [left, bottom, right, top] = page.view as [number, number, number, number];
  return (await pictureArea(page)) >= scanShare * (right - left) * (top - bottom);
}

/** The area that pictures take on a page, in its own units; what lies over another counts as well. */
async function pictureArea(page: PdfPage): Promise<number> {
  const { OPS } = await getResolvedPDFJS();
  const { fnArray, argsArray } = await page.getOperatorList();
  // A picture is drawn into a square of 1: the area of that follows from the determinants of what has scaled it.
  let unit = 1;
  const saved: number[] = [];
  let area = 0;
  fnArray.forEach((operator, at) => {
    if (operator === OPS.save || operator === OPS.paintFormXObjectBegin) saved.push(unit);
    if (operator === OPS.transform) unit *= determinant(argsArray[at]);
    else if (operator === OPS.paintFormXObjectBegin) unit *= determinant(argsArray[at][0] ?? [1, 0, 0, 1]);
    else if (operator === OPS.restore || operator === OPS.paintFormXObjectEnd) unit = saved.pop() ?? 1;
    else if (
      operator === OPS.paintImageXObject ||
      operator === OPS.paintInlineImageXObject ||
      operator === OPS.paintImageMaskXObject
    )
      area += Math.abs(unit);
  });
  return area;
}

const determinant = ([a, b, c, d]: ArrayLike<number> & Iterable<number>): number => a! * d! - b! * c!;
