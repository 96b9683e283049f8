/** What a tenant may be limited in. */
export const quotaKinds = ['requests', 'bytes', 'pages', 'tokens'] as const;
export type QuotaKind = (typeof quotaKinds)[number];
