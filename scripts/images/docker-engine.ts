import { randomUUID } from 'node:crypto';
import { runCommand } from '../local/run-command.ts';
import { startProgram } from '../local/start-program.ts';
import {
  buildImage,
  type Container,
  type ImageEngine,
  outputOf,
  type StartOptions,
  stopGraceMs,
} from './image-engine.ts';

/** A Docker that runs on this machine, with a volume of its own as /data. */
export async function dockerEngine(): Promise<ImageEngine> {
  const volume = `semantic-memory-images-${randomUUID()}`;
  await outputOf('docker', ['volume', 'create', volume]);
  return {
    async build(app) {
      const image = await buildImage(app);
      const [{ Config: config, Size: sizeBytes }] = JSON.parse(await outputOf('docker', ['image', 'inspect', image]));
      return { config, sizeBytes, start: (options) => start(image, volume, options) };
    },
    async close() {
      await outputOf('docker', ['volume', 'rm', volume]);
    },
  };
}

async function start(image: string, volume: string, { env, ...ready }: StartOptions): Promise<Container> {
  const name = `semantic-memory-${randomUUID()}`;
  const hardened = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];
  const place = ['--name', name, '--rm', '--init', '--network', 'host', '--volume', `${volume}:/data`];
  const variables = Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  const args = ['run', ...place, ...hardened, ...variables, image];
  const running = await startProgram({ name, command: 'docker', args, ...ready });
  return {
    exec: (command) => runCommand('docker', ['exec', name, ...command]),
    async stop() {
      await running.stop(stopGraceMs);
      return (await running.exited).code;
    },
  };
}
