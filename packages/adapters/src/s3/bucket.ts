import { S3Client } from '@aws-sdk/client-s3';
import { s3Failure } from './failure.ts';

/** How a server is spoken to. */
export interface S3ServerSettings {
  readonly region: string;
  /** Of a server other than Amazon's. */
  readonly endpoint?: string | undefined;
  /** The bucket stands in the path and not in the host name: what most other servers want. */
  readonly forcePathStyle: boolean;
  /** Where absent, the SDK looks for them: environment, shared files, the role of the pod or machine. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

export interface S3Settings extends S3ServerSettings {
  readonly bucket: string;
  /** Begins every key: empty, or ending with a slash. */
  readonly prefix: string;
}

/** All in milliseconds. */
export interface S3Timing {
  readonly connectMs: number;
  /** A call with a small body, its tries included. */
  readonly callMs: number;
  /** A call that sends or copies megabytes, its tries included. */
  readonly transferMs: number;
  /** Between two pieces of a body that is read. */
  readonly idleMs: number;
  /** The question whether the server is there. */
  readonly checkMs: number;
}

export const s3Timing: S3Timing = {
  connectMs: 2_000,
  callMs: 10_000,
  transferMs: 60_000,
  idleMs: 15_000,
  checkMs: 2_000,
};

/** Tries of one call within its deadline: covers a dropped connection; outages are waited out by the queue. */
const maxAttempts = 3;
/** As many requests at the same time as a busy worker makes. */
const maxSockets = 100;

/** A server, spoken to with deadlines. */
export interface S3Server {
  /**
   * Makes a call with a deadline.
   * @throws MemoryError as `s3Failure`
   */
  call<Result>(withinMs: number, run: (client: S3Client, abortSignal: AbortSignal) => Promise<Result>): Promise<Result>;
  close(): void;
}

export interface Bucket extends S3Server {
  readonly name: string;
  /** A blob's key as the bucket has it. */
  keyOf(key: string): string;
}

export const openBucket = (settings: S3Settings, timing: S3Timing): Bucket => ({
  ...openServer(settings, timing),
  name: settings.bucket,
  keyOf: (key) => `${settings.prefix}${key}`,
});

export function openServer(settings: S3ServerSettings, timing: S3Timing): S3Server {
  const { region, endpoint, forcePathStyle, credentials } = settings;
  const client = new S3Client({
    region,
    forcePathStyle,
    maxAttempts,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    // Bodies are signed by their SHA-256 or come over TLS; the newer checksums are unknown to many servers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: timing.connectMs,
      httpAgent: { keepAlive: true, maxSockets },
      httpsAgent: { keepAlive: true, maxSockets },
    },
  });
  return {
    async call(withinMs, run) {
      const signal = AbortSignal.timeout(withinMs);
      try {
        return await run(client, signal);
      } catch (error) {
        throw s3Failure(error, signal.aborted);
      }
    },
    close: () => client.destroy(),
  };
}
