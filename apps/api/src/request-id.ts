import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What a caller may choose: it goes into log lines and headers as it is. */
const valid = /^[A-Za-z0-9._:-]{1,128}$/;

const ids = new WeakMap<IncomingMessage, string>();

/** The id of each request: the caller's own where it is usable, else a new one. */
export const requestIds = {
  of(request: IncomingMessage): string {
    const known = ids.get(request);
    if (known) return known;
    const chosen = request.headers['x-request-id'];
    const id = typeof chosen === 'string' && valid.test(chosen) ? chosen : randomUUID();
    ids.set(request, id);
    return id;
  },
};
