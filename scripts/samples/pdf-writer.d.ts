/** In points of 1/72 inch; A4 unless said otherwise. */
export declare const a4: {
  width: number;
  height: number;
};
export type PdfFont = 'regular' | 'bold';
/** Text at a place; `y` counts from the top of the page down to the baseline. */
export interface PdfText {
  x: number;
  y: number;
  size: number;
  font?: PdfFont;
  text: string;
}
export type PdfPage =
  | {
      texts: readonly PdfText[];
    }
  | {
      jpeg: Buffer;
      width: number;
      height: number;
      gray: boolean;
    };
export interface PdfOptions {
  title?: string;
  /** Asked for when the file is opened (RC4 with 128 bits, PDF 1.7 section 7.6). */
  password?: string;
}
/** A PDF 1.4 file of pages that carry text in standard fonts, or one picture each. The same input gives the same bytes. */
export declare function writePdf(pages: readonly PdfPage[], { title, password }?: PdfOptions): Buffer;
