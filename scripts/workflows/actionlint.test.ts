import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const script = fileURLToPath(new URL('../lint-workflows.sh', import.meta.url));

// The first run builds actionlint.
test('actionlint finds nothing in the workflows', async () => {
  const { status, output } = await promisify(execFile)(script).then(
    () => ({ status: 0, output: '' }),
    (error) => ({ status: error.code as number, output: `${error.stdout}${error.stderr}` }),
  );
  if (status === 3) console.warn(output);
  else expect({ status, output }).toEqual({ status: 0, output: '' });
}, 600_000);
