import { statfs } from 'node:fs/promises';
import type { Logger } from '@semantic-memory/shared/ports/logger';
import { Gauge, type Registry } from 'prom-client';

/** A directory whose file system may fill up. */
export interface WatchedVolume {
  /** Names it in the metrics, such as `blobs`. */
  readonly name: string;
  readonly directory: string;
}

/** Size of a file system and what an ordinary user may still write, in bytes, read when Prometheus asks. */
export function addDiskGauges(registry: Registry, { name: volume, directory }: WatchedVolume, logger?: Logger): void {
  const measure = () =>
    statfs(directory).catch((error: unknown) => {
      // Not there yet, or its disk is gone: no number is better than an old one.
      logger?.warn('the file system could not be measured for the metrics', { volume, error });
      return undefined;
    });
  const addGauge = (name: string, help: string, part: 'blocks' | 'bavail') =>
    new Gauge({
      name,
      help,
      labelNames: ['volume'],
      registers: [registry],
      async collect() {
        const measured = await measure();
        this.reset();
        if (measured) this.set({ volume }, measured.bsize * measured[part]);
      },
    });
  addGauge('disk_size_bytes', 'Size of the file system.', 'blocks');
  addGauge('disk_available_bytes', 'Bytes that can still be written to the file system.', 'bavail');
}
