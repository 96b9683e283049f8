/**
 * The media type of an answer, in lower case, with its charset where one is named (which only the sender knows for many
 * old pages) and no other parameter; undefined where the header names none.
 */
export function mediaTypeOf(contentType: string | null): string | undefined {
  if (contentType === null) return undefined;
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase();
  if (!/^[\w.+-]+\/[\w.+-]+$/.test(type)) return undefined;
  const charset = /;\s*charset\s*=\s*"?([\w.:+-]{1,40})/i.exec(contentType)?.[1];
  return charset ? `${type}; charset=${charset.toLowerCase()}` : type;
}

/** What the sender calls the file, else the last part of the address. A name only, never a path. */
export function filenameOf(contentDisposition: string | null, url: URL): string | undefined {
  return filenameOr(decoded(url.pathname), contentDisposition);
}

/** What the sender calls the file, else the last part of a path. */
export function filenameOr(path: string | undefined, contentDisposition: string | null): string | undefined {
  return toName(dispositionName(contentDisposition ?? '')) ?? toName(path);
}

/** `filename*` (RFC 8187, only UTF-8 is in use) goes before `filename`: RFC 6266, section 4.3. */
function dispositionName(header: string): string | undefined {
  const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(header)?.[1];
  if (extended !== undefined) return decoded(extended);
  const plain = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(header);
  return plain?.[1]?.replaceAll(/\\(.)/g, '$1') ?? plain?.[2];
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded UTF-8: as it stands it is no name that anybody gave.
    return undefined;
  }
}

function toName(path: string | undefined): string | undefined {
  const name = path
    ?.split(/[/\\]/)
    .at(-1)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it removes
    ?.replaceAll(/[\u0000-\u001f\u007f]/g, '')
    .toWellFormed()
    .slice(0, 255)
    .trim();
  return name === undefined || ['', '.', '..'].includes(name) ? undefined : name;
}
