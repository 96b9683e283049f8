import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Diagram } from './diagrams.ts';

/**
 * Parses the diagrams of the JSON list on standard input by Mermaid, and prints the list of what is wrong with them, as
 * JSON. A process of its own: Mermaid looks for a browser in the globals (https://github.com/mermaid-js/mermaid/issues/6531).
 */
const installed = fileURLToPath(new URL('../../.tools/mermaid/node_modules/', import.meta.url));
const load = (path: string) => import(pathToFileURL(`${installed}${path}`).href);

const { parseHTML } = (await load('linkedom/esm/index.js')) as { parseHTML(html: string): object };
Object.assign(globalThis, { window: parseHTML('<html><body></body></html>') });
const { default: mermaid } = (await load('mermaid/dist/mermaid.core.mjs')) as {
  default: { parse(text: string): Promise<{ diagramType: string }> };
};

const faults: string[] = [];
for (const { file, line, text: diagram } of JSON.parse(await text(process.stdin)) as Diagram[]) {
  await mermaid.parse(diagram).catch((error: Error) => faults.push(`${file}:${line} ${error.message}`));
}
console.log(JSON.stringify(faults));
