import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import type { Ready } from '@semantic-memory/shared/contracts/http/health';
import { escapeHtml, htmlPage } from './html.ts';

/** What runs here, and how to begin. Shows nothing of any tenant: it asks for no token. */
export function renderStartPage(version: string, ready: Ready): string {
  const rows = Object.entries(ready.dependencies).map(
    ([name, { state, tookMs }]) =>
      `<tr><td>${escapeHtml(name)}</td><td${state === 'down' ? ' class="down"' : ''}>${state}</td><td>${tookMs} ms</td></tr>`,
  );
  const base = `http://HOST${apiPrefix}`;
  return htmlPage(
    'semantic-memory',
    `<h1>semantic-memory ${escapeHtml(version)}</h1>
<p>Documents go in and come out as memory that can be searched and quoted. This service is <strong>${ready.state}</strong>.</p>
<nav><a href="/docs">Reference</a><a href="/openapi.json">openapi.json</a><a href="/health/ready">Health</a></nav>
<h2>What it stands on</h2>
<table><tr><th>dependency</th><th>state</th><th>answered in</th></tr>${rows.join('')}</table>
<h2>Begin</h2>
<p><code>make up</code> prints a token. With it in <code>TOKEN</code>:</p>
<pre>${escapeHtml(`# take in a file
curl -H "Authorization: Bearer $TOKEN" -F file=@report.pdf ${base}/ingest

# find a passage
curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"query": "what was decided?"}' ${base}/search

# what the memory holds
curl -H "Authorization: Bearer $TOKEN" ${base}/stats`)}</pre>`,
  );
}
