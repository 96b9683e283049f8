import { z } from 'zod';

/** `Last-Event-ID` as an event stream gave its ids; empty is as good as none. */
export const eventIdHeader = (pattern: RegExp) =>
  z
    .string()
    .regex(pattern, 'is not the id of an event')
    .optional()
    .meta({ description: 'The last event that arrived: what came after it follows.' });
