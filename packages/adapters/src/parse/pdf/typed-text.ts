/** The little that is looked at of what pdf.js says of an annotation. */
export interface Annotation {
  readonly subtype?: string;
  readonly annotationFlags?: number;
  readonly fieldType?: string | null;
  readonly fieldValue?: unknown;
  readonly password?: boolean;
  /** What a field is called to its readers. */
  readonly alternativeText?: string;
  readonly contentsObj?: { readonly str: string };
}

/** Bits of the flags: hidden, and not to be shown. */
const unseen = 0b100010;

/**
 * What somebody typed into a page, one line each: the fields of a form, with what they are called where that is told, and
 * text laid over it. It is no part of the page's own text. Comments, which a reader opens first, are left out.
 */
export function typedText(annotations: readonly Annotation[]): string[] {
  const lines = annotations
    .filter(({ annotationFlags = 0 }) => (annotationFlags & unseen) === 0)
    .map((annotation) => (annotation.subtype === 'FreeText' ? annotation.contentsObj?.str : fieldText(annotation)));
  return [...new Set(lines.map((line) => line?.trim() ?? ''))].filter((line) => line !== '');
}

function fieldText({ fieldType, fieldValue, password, alternativeText }: Annotation): string {
  if (password || (fieldType !== 'Tx' && fieldType !== 'Ch')) return '';
  const value = [fieldValue]
    .flat()
    .filter((part) => typeof part === 'string' && part.trim() !== '')
    .join(', ');
  return alternativeText && value !== '' ? `${alternativeText}: ${value}` : value;
}
