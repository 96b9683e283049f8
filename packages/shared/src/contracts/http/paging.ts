import { z } from 'zod';

/** A number as a query string carries it. */
export const queryInt = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/, 'is not a whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most))
    .meta({ override: { type: 'integer', minimum: least, maximum: most, pattern: undefined } });

/** How much of a list, and from where on. */
export const pageQuery = {
  limit: queryInt(1, 200).default(50).meta({ description: 'How many; 50 unless given.' }),
  cursor: z.string().min(1).max(1000).optional().meta({ description: '`nextCursor` of the answer before.' }),
};

/** What a list that is sorted by time goes on from. */
const listCursor = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z\|/;

/** As `pageQuery`, of a list that is sorted by time. */
export const listQuery = {
  ...pageQuery,
  cursor: pageQuery.cursor.refine((cursor) => cursor === undefined || listCursor.test(cursor), 'is not one of ours'),
};

export const versionQuery = {
  version: queryInt(1, 1_000_000_000)
    .optional()
    .meta({ description: 'The active version, else the latest, unless given.' }),
};
