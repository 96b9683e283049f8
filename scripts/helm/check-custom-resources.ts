import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseAllDocuments } from 'yaml';

/**
 * Validates the resources of KEDA, Gateway API, Traefik and the Prometheus operator among the manifests on standard input,
 * by the packages in .tools/custom-resources. Ends with status 1 where one is wrong, or where a kind that was asked for is
 * in none of them: `check-custom-resources.ts KIND,KIND…`
 */
const packages: Readonly<Record<string, string>> = {
  'gateway.networking.k8s.io': 'gateway-api',
  'keda.sh': 'keda',
  'monitoring.coreos.com': 'prometheus-operator',
  'traefik.io': 'traefik',
};

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface Model {
  /** @throws with every fault in its message */
  validate(): void;
}

const installed = fileURLToPath(
  new URL('../../.tools/custom-resources/node_modules/@kubernetes-models/', import.meta.url),
);
const kinds = (process.argv[2] ?? '').split(',');
const counts = new Map(kinds.map((kind) => [kind, 0]));
const faults: string[] = [];

for (const document of parseAllDocuments(await text(process.stdin))) {
  const manifest = document.toJS() as Manifest | null;
  if (!manifest || !kinds.includes(manifest.kind)) continue;
  counts.set(manifest.kind, (counts.get(manifest.kind) ?? 0) + 1);
  try {
    const model = await modelOf(manifest);
    model.validate();
  } catch (error) {
    faults.push(`${manifest.kind} ${manifest.metadata.name}: ${(error as Error).message}`);
  }
}
for (const [kind, count] of counts) {
  if (count === 0) faults.push(`no manifest is a ${kind}: nothing was checked`);
}
for (const fault of faults) console.error(fault);
console.log([...counts].map(([kind, count]) => `${count} ${kind}`).join(', '));
process.exitCode = faults.length === 0 ? 0 : 1;

async function modelOf(manifest: Manifest): Promise<Model> {
  const name = packages[manifest.apiVersion.split('/')[0] ?? ''];
  if (name === undefined) throw new Error(`no package has the schemas of ${manifest.apiVersion}`);
  const file = pathToFileURL(`${installed}${name}/${manifest.apiVersion}/${manifest.kind}.js`);
  const models = (await import(file.href)) as Record<string, new (manifest: Manifest) => Model>;
  const Kind = models[manifest.kind];
  if (Kind === undefined) throw new Error(`${file.href} has no ${manifest.kind}`);
  return new Kind(manifest);
}
