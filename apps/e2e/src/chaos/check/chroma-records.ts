/** What a collection holds of a record beside its vector. */
export interface ChromaRecord {
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly text: string;
}

const pageSize = 1_000;
const root = (port: number) => `http://127.0.0.1:${port}/api/v2/tenants/default_tenant/databases/default_database`;

/** Asked of the server itself, past the service and its lines. */
export async function listCollections(port: number): Promise<{ id: string; name: string }[]> {
  const found: { id: string; name: string }[] = [];
  for (;;) {
    const page = await ask<{ id: string; name: string }[]>(
      `${root(port)}/collections?limit=${pageSize}&offset=${found.length}`,
    );
    found.push(...page.map(({ id, name }) => ({ id, name })));
    if (page.length < pageSize) return found;
  }
}

export async function recordsOf(port: number, collectionId: string): Promise<ChromaRecord[]> {
  const records: ChromaRecord[] = [];
  for (;;) {
    const page = await ask<{
      ids: string[];
      metadatas: (Record<string, unknown> | null)[];
      documents: (string | null)[];
    }>(`${root(port)}/collections/${collectionId}/get`, {
      limit: pageSize,
      offset: records.length,
      include: ['metadatas', 'documents'],
    });
    page.ids.forEach((id, index) => {
      records.push({ id, metadata: page.metadatas[index] ?? {}, text: page.documents[index] ?? '' });
    });
    if (page.ids.length < pageSize) return records;
  }
}

async function ask<Answer>(url: string, body?: object): Promise<Answer> {
  const response = await fetch(url, {
    ...(body ? { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
    signal: AbortSignal.timeout(60_000),
  });
  if (!response.ok) throw new Error(`Chroma answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}
