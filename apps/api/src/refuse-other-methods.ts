import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { Router } from 'express';
import { toHttpError } from './errors.ts';
import { requestIds } from './request-id.ts';

/**
 * Answers 405 to whatever else is asked of a path, and says what is possible there. To be bound after those.
 * @param allowed methods in capitals
 */
export function refuseOtherMethods(router: Router, path: string, allowed: readonly string[]): void {
  router.all(path, (request, response) => {
    response.setHeader('allow', allowed.join(', '));
    const error = new MemoryError('invalid_request', `${request.method} is not possible here.`, {
      hint: `Possible: ${allowed.join(', ')}.`,
    });
    response.status(405).json(toHttpError(error, requestIds.of(request)).body);
  });
}
