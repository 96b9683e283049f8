import { fileURLToPath } from 'node:url';

/** A program that lies beside a module of ours, and what Node needs to run it. */
export interface ProgramBeside {
  readonly path: string;
  readonly execArgv: readonly string[];
}

/**
 * Finds a program beside a module: its source where the module is one, else what was built of it.
 * @param moduleUrl the module's `import.meta.url`
 */
export function programBeside(moduleUrl: string, name: string): ProgramBeside {
  const isSource = moduleUrl.endsWith('.ts');
  return {
    path: fileURLToPath(new URL(`./${name}.${isSource ? 'ts' : 'js'}`, moduleUrl)),
    execArgv: isSource ? ['--conditions=development'] : [],
  };
}
