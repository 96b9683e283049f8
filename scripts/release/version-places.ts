import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A version as it stands in a file. */
export interface FoundVersion {
  /** Path from the root of the repository. */
  readonly file: string;
  /** What of the file, for people. */
  readonly what: string;
  readonly version: string;
}

interface Place {
  readonly what: string;
  /** Global and by lines; its one group is the version. */
  readonly pattern: RegExp;
}

const version = String.raw`(\d+\.\d+\.\d+(?:-[\w.]+)?)`;
const inPackage: Place = { what: 'version', pattern: new RegExp(`^  "version": "${version}"`, 'gm') };
const inChart: readonly Place[] = [
  { what: 'version', pattern: new RegExp(`^version: ["']?${version}["']?$`, 'gm') },
  { what: 'appVersion', pattern: new RegExp(`^appVersion: ["']?${version}["']?$`, 'gm') },
];
const ofImages: Place = { what: 'image tag', pattern: new RegExp(`semantic-memory-(?:api|worker):${version}`, 'g') };

/** Where versions of the project stand: in every package, in the chart, and as tags of its images. */
async function places(root: string): Promise<{ file: string; places: readonly Place[] }[]> {
  const below = async (folder: string) => (await readdir(join(root, folder)).catch(noFolder)).sort();
  const packages = ['package.json'];
  for (const folder of ['apps', 'packages']) {
    for (const name of await below(folder)) packages.push(`${folder}/${name}/package.json`);
  }
  const examples = (await below('helm/ci')).filter((name) => name.endsWith('.yaml')).map((name) => `helm/ci/${name}`);
  return [
    ...packages.map((file) => ({ file, places: [inPackage] })),
    { file: 'helm/Chart.yaml', places: [...inChart, ofImages] },
    ...['docker-compose.yml', 'helm/values.yaml', ...examples].map((file) => ({ file, places: [ofImages] })),
  ];
}

/** Every version that stands in the files, in their order. @throws Error where a package or the chart has none */
export async function findVersions(root: string): Promise<FoundVersion[]> {
  const found: FoundVersion[] = [];
  for (const { file, places: inFile } of await places(root)) {
    const text = await readFile(join(root, file), 'utf8');
    for (const { what, pattern } of inFile) {
      const versions = [...text.matchAll(pattern)].map((match) => match[1] ?? '');
      if (versions.length === 0 && what !== ofImages.what) throw new Error(`${file} has no ${what}.`);
      for (const one of versions) found.push({ file, what, version: one });
    }
  }
  return found;
}

/** What stands against one version everywhere: a sentence for each place with another one than package.json's. */
export function versionConflicts(found: readonly FoundVersion[]): string[] {
  const own = found.find(({ file }) => file === 'package.json')?.version;
  return found
    .filter((place) => place.version !== own)
    .map((place) => `${place.file}: ${place.what} is ${place.version}, and package.json has ${own}.`);
}

/** Writes a version in every place. @returns the files that have changed */
export async function writeVersion(root: string, next: string): Promise<string[]> {
  const changed: string[] = [];
  for (const { file, places: inFile } of await places(root)) {
    const before = await readFile(join(root, file), 'utf8');
    const after = inFile.reduce(
      (text, { pattern }) => text.replace(pattern, (match, old: string) => match.replace(old, next)),
      before,
    );
    if (after === before) continue;
    await writeFile(join(root, file), after);
    changed.push(file);
  }
  return changed;
}

function noFolder(error: NodeJS.ErrnoException): string[] {
  if (error.code !== 'ENOENT') throw error;
  return [];
}
