import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { commentedExamples, keysWithoutComment } from './values-file.ts';

/**
 * Checks what no tool of Helm does: every key of helm/values.yaml has its comment, and the examples that stand commented
 * in it are those that helm/ci renders. Ends with status 1 and one line a fault.
 */
const chart = new URL('../../helm/', import.meta.url);
const text = await readFile(new URL('values.yaml', chart), 'utf8');
const faults = keysWithoutComment(text).map(
  ({ path, line }) => `helm/values.yaml:${line}: ${path} has no comment "# --"`,
);

const examples = commentedExamples(text);
for (const [key, name] of [
  ['ingress', 'nginx'],
  ['ingress', 'traefik'],
  ['gateway', 'gateway'],
] as const) {
  const live = parse(await readFile(new URL(`ci/${name}.yaml`, chart), 'utf8')) as Record<string, unknown>;
  if (!examples.some((example) => isDeepStrictEqual(example, { [key]: live[key] }))) {
    faults.push(`helm/values.yaml: no commented example is the same as ${key} of helm/ci/${name}.yaml`);
  }
}

// The images that Artifact Hub is told of are those that the values name.
const { annotations, appVersion } = parse(await readFile(new URL('Chart.yaml', chart), 'utf8')) as {
  annotations: Record<string, string>;
  appVersion: string;
};
const values = parse(text) as { redis: { image: string }; chroma: { image: string }; image: { prefix: string } };
const told = parse(annotations['artifacthub.io/images'] ?? '[]') as readonly { image: string }[];
for (const image of [
  ...['api', 'worker'].map((name) => `${values.image.prefix}${name}:${appVersion}`),
  values.redis.image,
  values.chroma.image,
]) {
  if (!told.some((entry) => entry.image === image)) {
    faults.push(`helm/Chart.yaml: artifacthub.io/images does not name ${image}`);
  }
}

for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
