import { expect, test } from '@jest/globals';
import { firstThatWorks, isolated, isolationBy, isolationReport } from './isolation.ts';

const network = ['unshare', '-n', '--'];
const memory = ['prlimit', '--data=1', '--'];
const parent = ['setpriv', '--pdeathsig', 'KILL', '--'];

test('where everything works a child is started under all of it, and nothing is missing', () => {
  const { report, prefixFor } = isolationBy({ network, memory, parent });
  expect(report).toEqual({ network: true, memoryLimit: true, diesWithParent: true, missing: [] });
  expect(prefixFor(4)).toEqual([...network, 'prlimit', `--data=${4 * 2 ** 30}`, '--core=0', '--', ...parent]);
  expect(prefixFor(undefined)).toEqual([...network, ...parent]);
});

test('where nothing works a child is started as it is, and the operator is told what is missing', () => {
  const { report, prefixFor } = isolationBy({ network: undefined, memory: undefined, parent: undefined });
  expect(report).toMatchObject({ network: false, memoryLimit: false, diesWithParent: false });
  expect(report.missing).toEqual([
    expect.stringMatching(/^unshare -n: .*network/),
    expect.stringMatching(/^prlimit: .*memory/),
    expect.stringMatching(/^setpriv: .*outlives/),
  ]);
  expect(prefixFor(2)).toEqual([]);
});

test('of the ways to isolate the first is taken that this host has and allows', async () => {
  const absent = ['no-such-command-4711', '--'];
  const forbidden = ['false', '--'];
  const plain = ['env', '--'];
  expect(await firstThatWorks([absent, forbidden, plain, ['env', '-i', '--']])).toBe(plain);
  expect(await firstThatWorks([absent, forbidden])).toBeUndefined();
});

test('a command line is kept, behind what isolates it here', async () => {
  const argv = ['program', '--flag'];
  const wrapped = await isolated(argv, 2);
  expect(wrapped.slice(-2)).toEqual(argv);
  expect(wrapped.includes('unshare')).toBe((await isolationReport()).network);
});
