import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../local/run-command.ts';
import { startProgram } from '../local/start-program.ts';
import {
  buildImage,
  type Container,
  type ImageConfig,
  type ImageEngine,
  outputOf,
  type StartOptions,
  stopGraceMs,
} from './image-engine.ts';

const store = fileURLToPath(new URL('../../.tools/images', import.meta.url));
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
 * buildah with a store of its own below .tools, of which only the base stays. What it builds it also unpacks; a script
 * then starts that, since buildah itself starts nothing on a root that is read-only. For root.
 */
export async function buildahEngine(): Promise<ImageEngine> {
  const env = await ownStore();
  const buildah = (...args: string[]) => outputOf('buildah', args, env);
  const dataDir = await mkdtemp(join(tmpdir(), 'semantic-memory-images-'));
  const unpacked: string[] = [];
  const built: string[] = [];
  let base = process.env.BASE_IMAGE;
  return {
    async build(app) {
      base ||= await outputOf(script('base-image.sh'), [], env);
      const image = await buildImage(app, { ...env, BASE_IMAGE: base });
      built.push(image);
      const container = await buildah('from', '--pull-never', `localhost/${image}`);
      unpacked.push(container);
      const { Docker } = JSON.parse(await buildah('inspect', '--type', 'image', `localhost/${image}`));
      const config: ImageConfig = Docker.config;
      const root = await buildah('mount', container);
      const size = await outputOf('du', ['--summarize', '--apparent-size', '--bytes', '--one-file-system', root]);
      await chown(dataDir, ...ids(config));
      return {
        config,
        sizeBytes: Number.parseInt(size, 10),
        start: (options) => start(app, { root, dataDir, config }, options),
      };
    },
    async close() {
      if (unpacked.length > 0) await buildah('rm', ...unpacked);
      if (built.length > 0) await buildah('rmi', ...built.map((image) => `localhost/${image}`));
      // What a killed run has left.
      await buildah('rmi', '--prune', '--force');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const ids = ({ User }: ImageConfig) => User.split(':').map(Number) as [number, number];

/** Layers lie over one another where the file system can do that; else each is a copy of all below it. */
async function ownStore(): Promise<Record<string, string>> {
  await mkdir(store, { recursive: true });
  for (const driver of ['overlay', 'vfs']) {
    const file = join(store, `${driver}.conf`);
    const place = join(store, driver);
    await writeFile(file, `[storage]\ndriver = "${driver}"\ngraphroot = "${place}"\nrunroot = "${place}-run"\n`);
    const env = { CONTAINERS_STORAGE_CONF: file, BUILDAH_ISOLATION: 'chroot' };
    if ((await runCommand('buildah', ['images'], { env })).ok) return env;
  }
  throw new Error(`buildah cannot keep images in ${store}`);
}

async function start(
  name: string,
  { root, dataDir, config }: { root: string; dataDir: string; config: ImageConfig },
  { env, ...ready }: StartOptions,
): Promise<Container> {
  const variables = [...config.Env, ...Object.entries(env).map(([key, value]) => `${key}=${value}`)];
  const inside = [config.User, config.WorkingDir, ...variables];
  const unpacked = script('unpacked.sh');
  const args = ['start', root, dataDir, ...inside, ...config.Cmd];
  const running = await startProgram({ name, command: unpacked, args, ...ready });
  return {
    exec: (command) => runCommand(unpacked, ['exec', String(running.pid), ...inside, ...command]),
    async stop() {
      await running.stop(stopGraceMs);
      return (await running.exited).code;
    },
  };
}
