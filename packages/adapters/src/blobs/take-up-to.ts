/** The beginning of a stream: all of it, or somewhat more than `most` bytes. */
export async function takeUpTo(
  parts: AsyncGenerator<Uint8Array>,
  most: number,
): Promise<{ bytes: Uint8Array; isAll: boolean }> {
  const taken: Uint8Array[] = [];
  let size = 0;
  while (size <= most) {
    const { done, value } = await parts.next();
    if (done) return { bytes: Buffer.concat(taken), isAll: true };
    taken.push(value);
    size += value.byteLength;
  }
  return { bytes: Buffer.concat(taken), isAll: false };
}
