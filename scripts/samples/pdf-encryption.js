import { createHash } from 'node:crypto';

/** The padding of passwords (ISO 32000-1, algorithm 2, step a). */
const padding = Buffer.from('28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a', 'hex');
const keyBytes = 16;
/** Print and copy allowed; the reserved bits are set as the standard demands. */
const permissions = -44;
/** The standard security handler, revision 3 with RC4 of 128 bits (ISO 32000-1, section 7.6.3). Node has no RC4 left. */
export function encryptPdf(password, id) {
  const padded = Buffer.concat([Buffer.from(password, 'latin1'), padding]).subarray(0, 32);
  const owner = layered(stretch(md5(padded)), padded);
  const permissionBytes = Buffer.alloc(4);
  permissionBytes.writeInt32LE(permissions);
  const key = stretch(md5(padded, owner, permissionBytes, id));
  const user = Buffer.concat([layered(key, md5(padding, id)), Buffer.alloc(16)]);
  const hex = (bytes) => `<${bytes.toString('hex')}>`;
  return {
    dictionary: `<< /Filter /Standard /V 2 /R 3 /Length 128 /P ${permissions} /O ${hex(owner)} /U ${hex(user)} >>`,
    encrypt(objectNumber, data) {
      const numbers = Buffer.alloc(5);
      numbers.writeUIntLE(objectNumber, 0, 3);
      return rc4(md5(key, numbers).subarray(0, Math.min(keyBytes + 5, 16)), data);
    },
  };
}
function md5(...parts) {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
function stretch(digest) {
  let key = digest;
  for (let round = 0; round < 50; round += 1) key = md5(key.subarray(0, keyBytes));
  return key;
}
/** Twenty rounds of RC4, each with the key changed by the number of the round (algorithms 3 and 5). */
function layered(key, data) {
  let result = data;
  for (let round = 0; round < 20; round += 1) result = rc4(Buffer.from(key.map((byte) => byte ^ round)), result);
  return result;
}
function rc4(key, data) {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index);
  const at = (index) => state[index];
  const swap = (a, b) => {
    [state[a], state[b]] = [at(b), at(a)];
  };
  for (let i = 0, j = 0; i < 256; i += 1) {
    j = (j + at(i) + key[i % key.length]) & 255;
    swap(i, j);
  }
  let i = 0;
  let j = 0;
  return Buffer.from(
    data.map((byte) => {
      i = (i + 1) & 255;
      j = (j + at(i)) & 255;
      swap(i, j);
      return byte ^ at((at(i) + at(j)) & 255);
    }),
  );
}
//# sourceMappingURL=pdf-encryption.js.map
