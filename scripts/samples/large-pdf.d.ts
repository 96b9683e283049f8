/** A fact that stands on this page only: every page can be searched for. */
export declare function largePdfFact(page: number): string;
/** A logbook of so many pages, about 2,500 characters on each, different on every page. The same number gives the same bytes. */
export declare function largePdf(pages: number): Buffer;
