import { describe, expect, test } from '@jest/globals';
import type { ReplyBox } from '../ports/reply-box.ts';

let names = 0;
const freshTenant = () => `tenant-${process.pid}-${Date.now()}-${names++}`;
const never = new AbortController().signal;

/** What every box of replies promises. `other` is another process's view of the same one. */
export function replyBoxSuite(name: string, create: () => { readonly box: ReplyBox; readonly other: ReplyBox }): void {
  describe(name, () => {
    test('who waits gets the reply of another process', async () => {
      const { box, other } = create();
      const tenant = freshTenant();
      const waiting = box.receive(tenant, 'a', never);
      await other.send(tenant, 'b', 'of another question');
      await other.send(tenant, 'a', 'the reply');
      expect(await waiting).toBe('the reply');
    });

    test('a reply that came before anybody waited is there', async () => {
      const { box, other } = create();
      const tenant = freshTenant();
      await other.send(tenant, 'a', 'early');
      expect(await box.receive(tenant, 'a', never)).toBe('early');
    });

    test('who stops waiting has no reply', async () => {
      const { box } = create();
      const tenant = freshTenant();
      const gone = new AbortController();
      const waiting = box.receive(tenant, 'a', gone.signal);
      gone.abort();
      expect(await waiting).toBeUndefined();
      expect(await box.receive(tenant, 'a', AbortSignal.abort())).toBeUndefined();
    });

    test('a reply is its tenant’s only, and is given once', async () => {
      const { box, other } = create();
      const tenant = freshTenant();
      await box.send(tenant, 'a', 'mine');
      expect(await other.receive(freshTenant(), 'a', AbortSignal.timeout(20))).toBeUndefined();
      expect(await other.receive(tenant, 'a', never)).toBe('mine');
      expect(await box.receive(tenant, 'a', AbortSignal.timeout(20))).toBeUndefined();
    });
  });
}
