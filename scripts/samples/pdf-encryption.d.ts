export interface PdfEncryption {
  dictionary: string;
  encrypt(objectNumber: number, data: Buffer): Buffer;
}
/** The standard security handler, revision 3 with RC4 of 128 bits (ISO 32000-1, section 7.6.3). Node has no RC4 left. */
export declare function encryptPdf(password: string, id: Buffer): PdfEncryption;
