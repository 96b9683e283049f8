import { createHash } from 'node:crypto';
import { ulid } from 'ulid';

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export const newJobId = () => `job_${ulid()}`;
export const newBatchId = () => `batch_${ulid()}`;
export const newUploadId = () => ulid().toLowerCase();
export const newDocumentId = () => `doc_${ulid().toLowerCase()}`;

/** The id of a job that another job makes: the same each time, so that making it again makes nothing new. */
export function childJobId(parentJobId: string, run: number, name: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([parentJobId, run, name]))
    .digest();
  return `job_${Array.from(digest.subarray(0, 26), (byte) => crockford[byte & 31]).join('')}`;
}
