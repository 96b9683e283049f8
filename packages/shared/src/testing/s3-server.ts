import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../../../scripts/test-s3-server.ts', import.meta.url));
/** The status of the script where no server can be had on this machine. */
const toolMissing = 3;

/** One empty bucket of a real server, and how to speak to it. */
export interface TestS3Server {
  readonly settings: {
    readonly bucket: string;
    readonly prefix: string;
    readonly region: string;
    readonly endpoint: string;
    readonly forcePathStyle: boolean;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  stop(): Promise<void>;
}

/**
 * Starts a real S3 server with one empty bucket. It ends with this process, however that ends.
 * @returns why not, where this machine cannot have one
 */
export async function startTestS3Server(): Promise<TestS3Server | { readonly missing: string }> {
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
  const [first] = await Promise.race([once(lines, 'line') as Promise<[string]>, exited]);
  if (typeof first !== 'string') {
    if (first === toolMissing) return { missing: said.trim() };
    throw new Error(`the S3 server did not start (status ${first}): ${said}`);
  }
  const { endpoint, bucket, ...credentials } = JSON.parse(first) as {
    endpoint: string;
    bucket: string;
    accessKeyId: string;
    secretAccessKey: string;
  };
  return {
    settings: { bucket, prefix: '', region: 'us-east-1', endpoint, forcePathStyle: true, credentials },
    stop: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
