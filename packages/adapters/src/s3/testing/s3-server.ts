import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Settings } from '../bucket.ts';

const script = fileURLToPath(new URL('../../../../../scripts/test-s3-server.ts', import.meta.url));
/** The status of the script where no server can be had on this machine. */
const toolMissing = 3;
/** A server that has just begun to answer still looks for room. */
const bucketWithinMs = 30_000;

export interface TestS3Server {
  readonly settings: S3Settings & {
    readonly endpoint: string;
    readonly credentials: NonNullable<S3Settings['credentials']>;
  };
  stop(): Promise<void>;
}

/**
 * Starts a real S3 server with one empty bucket. It ends with this process, however that ends.
 * @returns why not, where this machine cannot have one
 */
export async function startTestS3Server(bucket = 'memory'): Promise<TestS3Server | { readonly missing: string }> {
  const child = spawn(process.execPath, ['--conditions=development', script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text;
  });
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line') as Promise<[string]>, exited]);
  const line = first[0];
  if (typeof line !== 'string') {
    if (line === toolMissing) return { missing: said.trim() };
    throw new Error(`the S3 server did not start (status ${line}): ${said}`);
  }
  const { endpoint, ...credentials } = JSON.parse(line) as {
    endpoint: string;
    accessKeyId: string;
    secretAccessKey: string;
  };
  const settings = { bucket, prefix: '', region: 'us-east-1', endpoint, forcePathStyle: true, credentials };
  const stop = async () => {
    child.stdin.end();
    await exited;
  };
  try {
    await makeBucket(settings);
  } catch (error) {
    await stop();
    throw error;
  }
  return { settings, stop };
}

async function makeBucket({ bucket, prefix: _prefix, ...settings }: TestS3Server['settings']): Promise<void> {
  const client = new S3Client(settings);
  const deadline = Date.now() + bucketWithinMs;
  for (;;) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }), { abortSignal: AbortSignal.timeout(5_000) });
      break;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(100);
    }
  }
  client.destroy();
}
