import { createHmac } from 'node:crypto';

export const signatureHeader = 'X-Semantic-Memory-Signature';
/** The same for every attempt at one call: by it a receiver knows what it has had already. */
export const deliveryHeader = 'X-Semantic-Memory-Delivery';

/**
 * The value of `X-Semantic-Memory-Signature`: `t=SECONDS,v1=HEX`, the HMAC-SHA256 of `t.body` (RFC 2104). The time is
 * signed too, so that a receiver can refuse a call that was recorded and is played again.
 * @param seconds since 1970, of this attempt
 */
export function webhookSignature(secret: string, body: string, seconds: number): string {
  const hex = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${hex}`;
}
