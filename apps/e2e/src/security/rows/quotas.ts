import { describe, expect, test } from '@jest/globals';
import { writePdf } from '../../chaos/contents/pdf.ts';
import { freshTenant, quotas, type Target } from '../target.ts';

/** Quotas per tenant, in Redis: beyond one the answer is 429 with Retry-After, and nobody else notices. */
export function quotasRow(target: () => Target): void {
  const text = (words: string) => ({ source: { type: 'text', text: words } });

  async function expectUsedUp(answer: Response, quota: string, atMostSeconds: number): Promise<void> {
    expect([quota, answer.status]).toEqual([quota, 429]);
    const seconds = Number(answer.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(atMostSeconds);
    expect(await answer.json()).toMatchObject({ error: { code: 'rate_limited', details: { quota } } });
  }
  const minute = 60;
  const day = 24 * 3600;
  /** What went beyond a quota is owed first. */
  const owedToo = 2 * day;

  describe('quotas', () => {
    test('requests: a flood ends in 429 for its tenant alone, and each query of a batch counts', async () => {
      const tenant = freshTenant('flood');
      const queries = Array.from({ length: 100 }, () => ({ query: 'x', mode: 'lexical' }));
      const send = () => target().call('/search/batch', tenant, { body: { queries } });
      let sent = 1;
      let answer = await send();
      for (; answer.status === 200; sent += 1) answer = await send();
      // Each query counts: as many calls alone would be let through.
      expect(sent).toBeLessThan(quotas.requestsPerMinute / 2);
      await expectUsedUp(answer, 'requests', minute);
      expect((await target().call('/stats', freshTenant('calm'))).status).toBe(200);
    }, 120_000);

    test('bytes: a document that is more than is left is refused before it is sent', async () => {
      const tenant = freshTenant('bytes');
      const send = (bytes: number) => {
        const form = new FormData();
        form.append('file', new Blob([new Uint8Array(bytes)]), 'zeros.bin');
        return target().call('/ingest', tenant, { body: form });
      };
      await expectUsedUp(await send(quotas.bytesPerDay + 1), 'bytes', day);
      expect((await send(quotas.bytesPerDay * 0.6)).status).toBe(202);
      await expectUsedUp(await send(quotas.bytesPerDay * 0.6), 'bytes', day);
      expect((await target().call('/ingest', tenant, { body: text('A few bytes fit.') })).status).toBe(202);
      expect((await target().call('/ingest', freshTenant('calm'), { body: text('x') })).status).toBe(202);
    }, 60_000);

    test('pages: once they are used up nothing more is taken in, and what is there is found', async () => {
      const tenant = freshTenant('pages');
      const pages = Array.from({ length: quotas.pagesPerDay + 1 }, (_, index) => ({
        text: `Page ${index} ${'of a long report on tides '.repeat(5)}.`,
      }));
      const form = new FormData();
      form.append('file', new Blob([new Uint8Array(await writePdf(pages))]), 'long.pdf');
      expect((await target().ingested(tenant, form)).state).toBe('succeeded');
      await expectUsedUp(await target().call('/ingest', tenant, { body: text('x') }), 'pages', owedToo);
      await expectUsedUp(
        await target().call('/ingest/batch', tenant, { body: { items: [text('x')] } }),
        'pages',
        owedToo,
      );
      const body = { query: 'page', mode: 'lexical' };
      const { hits } = await target().json<{ hits: unknown[] }>('/search', tenant, { body });
      expect(hits.length).toBeGreaterThan(0);
    }, 120_000);

    test('tokens: once they are used up no model works for the tenant any more; Redis has the count', async () => {
      const tenant = freshTenant('tokens');
      expect((await target().ingested(tenant, text('The tide turns at noon.'))).state).toBe('succeeded');
      target().model.replyNext('The tide turns at noon [1]. '.repeat(quotas.tokensPerDay / 5));
      const first = await target().call('/rag', tenant, { body: { question: 'When does the tide turn?' } });
      expect(first.status).toBe(200);
      await expectUsedUp(
        await target().call('/rag', tenant, { body: { question: 'When does it turn again?' } }),
        'tokens',
        owedToo,
      );
      await expectUsedUp(await target().call('/ingest', tenant, { body: text('y') }), 'tokens', owedToo);
      const redis = await target().redis();
      const counted = await redis.keys('*:quotas:*');
      expect(counted.length).toBeGreaterThan(0);
      for (const key of counted) {
        expect(key).not.toContain(tenant);
        expect(await redis.pttl(key)).toBeGreaterThan(0);
      }
    }, 120_000);
  });
}
