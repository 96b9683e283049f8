import { createHash } from 'node:crypto';

/** Tells what was embedded with which model: equal hashes have equal vectors. Hexadecimal. */
export const contentHashOf = (model: string, embedText: string): string =>
  createHash('sha256').update(`${model}\n${embedText}`).digest('hex');
