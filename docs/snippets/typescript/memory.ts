import { setTimeout as delay } from 'node:timers/promises';

/** Where the service is, and the token for it; `make up` prints both. */
const url = process.env.SEMANTIC_MEMORY_URL ?? 'http://127.0.0.1:8080';
const token = process.env.SEMANTIC_MEMORY_TOKEN ?? '';

/** How often a request is repeated that the service cannot take just now. */
const mostAttempts = 5;

/**
 * Sends a request below /api/v1/memory. 429 and 503 say when to come again; a 503 has stored nothing.
 * @throws with the service's own words
 */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    if (typeof init.body === 'string') headers.set('content-type', 'application/json');
    const response = await fetch(`${url}/api/v1/memory${path}`, { ...init, headers });
    if (response.ok) return response;
    if (![429, 503].includes(response.status) || attempt === mostAttempts) throw new Error(await reasonOf(response));
    await response.body?.cancel();
    await delay(Number(response.headers.get('retry-after') ?? 1) * 1000);
  }
}

/** Posts JSON and reads JSON. */
export async function post<Answer>(path: string, body: object): Promise<Answer> {
  const response = await call(path, { method: 'POST', body: JSON.stringify(body) });
  return (await response.json()) as Answer;
}

async function reasonOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string; hint?: string } };
    return `${response.status} ${error.code}: ${error.message} ${error.hint ?? ''}`.trim();
  } catch {
    return `${response.status} ${text}`;
  }
}
