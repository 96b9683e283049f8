/** Calls addresses that users gave. Only tier `fetch` has a way out; the address is checked against SSRF each time. */
export interface WebhookSender {
  /**
   * One POST; redirects are not followed, and of the answer only its head is read.
   * @returns the status, whatever it is, and how long the receiver asks to be left alone
   * @throws MemoryError `fetch_forbidden` (the address is not allowed), `fetch_failed` (no answer)
   */
  post(
    url: string,
    message: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly retryAfterMs?: number }>;
}
