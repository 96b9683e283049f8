import { join } from 'node:path';
import { claimPort, freePort } from '@semantic-memory/runtime/free-port';
import { readState, writeState } from './state-file.ts';

/**
 * The port that this server had last time, so that it is found at the same place again; where it is taken, another one.
 * @param dataDir whose lock the caller holds
 */
export async function rememberedPort(dataDir: string, name: string): Promise<number> {
  const remembered = (await readState<Record<string, number>>(portsFile(dataDir), {}))[name];
  return remembered !== undefined && (await claimPort(remembered, name, '127.0.0.1')) ? remembered : freePort(name);
}

/** The servers are started at the same time, and each changes the one file: one after the other. */
let remembering: Promise<void> = Promise.resolve();

/** Remembers the port that a server has got. */
export function rememberPort(dataDir: string, name: string, port: number): Promise<void> {
  const remembered = remembering.then(async () => {
    const ports = await readState<Record<string, number>>(portsFile(dataDir), {});
    if (ports[name] !== port) await writeState(portsFile(dataDir), { ...ports, [name]: port });
  });
  remembering = remembered.catch(() => {});
  return remembered;
}

const portsFile = (dataDir: string) => join(dataDir, 'ports.json');
