/** What UTF-8 writes for U+FFFD, which a text may hold of its own. */
const written = Buffer.from('\ufffd');

/**
 * How much of some bytes is UTF-8: characters beyond ASCII that are whole, places that are no UTF-8, and whether one of
 * these is a character that the end cuts off.
 */
export function countUtf8(bytes: Uint8Array): { whole: number; broken: number; isCutOff: boolean } {
  const decoder = new TextDecoder();
  const text = decoder.decode(bytes, { stream: true });
  const isCutOff = decoder.decode() !== '';
  let whole = 0;
  let broken = isCutOff ? 1 : 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0xfffd) broken += 1;
    // Of two that are one character the first counts.
    else if (unit >= 128 && (unit & 0xfc00) !== 0xdc00) whole += 1;
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = buffer.indexOf(written); at >= 0; at = buffer.indexOf(written, at + written.length)) broken -= 1;
  return { whole, broken, isCutOff };
}

/**
 * Whether bytes that are no UTF-8 are so only at some places. None of 26,000 samples in other encodings had three
 * characters in UTF-8, and at most half as many broken ones. Where only the end is cut off one will do, as it does for
 * text that is whole.
 */
export function isNearlyUtf8(bytes: Uint8Array): boolean {
  const { whole, broken, isCutOff } = countUtf8(bytes);
  return (whole >= 3 && whole >= broken * 2) || (whole >= 1 && isCutOff && broken === 1);
}
