import { createHash, getRandomValues } from 'node:crypto';
import { decodeTime, isValid, ulid as ulidOf } from 'ulid';

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const randomNumbers = new Uint32Array(1024);
let randomsLeft = 0;

/** From 0 to below 1, out of a stock: the library asks for 16 an id, and the system for each would cost 10 µs. */
function random(): number {
  if (randomsLeft === 0) {
    getRandomValues(randomNumbers);
    randomsLeft = randomNumbers.length;
  }
  randomsLeft -= 1;
  return randomNumbers[randomsLeft]! / 2 ** 32;
}

const ulid = () => ulidOf(undefined, random);

export const newJobId = () => `job_${ulid()}`;
export const newBatchId = () => `batch_${ulid()}`;
/** When a batch was made, in milliseconds since 1970. @param batchId one of ours */
export const batchTime = (batchId: string) => decodeTime(batchId.slice('batch_'.length));
export const newUploadId = () => ulid().toLowerCase();
export const newDeliveryId = () => `del_${ulid()}`;
/** The call at a job's first end: known from the job alone, so that a job made again from its manifest owes the same one. */
export const firstDeliveryId = (jobId: string) => jobId.replace(/^job_/, 'del_');
/** When such an id was made, in milliseconds since 1970; undefined where it is none. */
export function uploadTime(uploadId: string): number | undefined {
  const id = uploadId.toUpperCase();
  return isValid(id) ? decodeTime(id) : undefined;
}
export const newDocumentId = () => `doc_${ulid().toLowerCase()}`;

/**
 * What jobs of a whole namespace (an import) have in place of a document's id. Their versions count them. A document may
 * be called so too: then they only share the numbers.
 */
export const namespaceDocumentId = (namespace: string) => `namespace:${namespace}`;

/** The id of a job that another job makes: the same each time, so that making it again makes nothing new. */
export function childJobId(parentJobId: string, run: number, name: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([parentJobId, run, name]))
    .digest();
  return `job_${Array.from(digest.subarray(0, 26), (byte) => crockford[byte & 31]).join('')}`;
}

/** The id of a document that is one file of many: readable where the path allows it, a hash where it does not. */
export function childDocumentId(parentDocumentId: string, path: string): string {
  const readable = `${parentDocumentId}:${path.replaceAll('/', ':')}`;
  if (readable.length <= 200 && /^[A-Za-z0-9._~:@-]+$/.test(readable) && !path.includes(':')) return readable;
  return `${parentDocumentId.slice(0, 150)}:${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
}
