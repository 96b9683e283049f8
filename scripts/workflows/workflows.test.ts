import { access, constants, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly 'timeout-minutes'?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly uses?: string;
  readonly steps?: readonly Step[];
}
interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
let workflows: { name: string; text: string; workflow: Workflow }[];

beforeAll(async () => {
  const folder = join(root, '.github/workflows');
  const names = (await readdir(folder)).sort();
  workflows = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8');
      return { name, text, workflow: parse(text) as Workflow };
    }),
  );
});

const jobs = () =>
  workflows.flatMap(({ name, workflow }) =>
    Object.entries(workflow.jobs).map(([id, job]) => ({ at: `${name} ${id}`, job })),
  );
const steps = () => jobs().flatMap(({ at, job }) => (job.steps ?? []).map((step) => ({ at, step })));

test('every action is pinned by a commit with its version beside it, and only one commit of each is used', () => {
  const commits = new Map<string, Set<string>>();
  for (const { name, text } of workflows) {
    for (const [line, action = '', rest = ''] of text.matchAll(/uses: ([^@\s]+)(.*)/g)) {
      if (action.startsWith('./')) continue;
      expect({ name, line, pinned: /^@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(rest) }).toMatchObject({ pinned: true });
      // The parts of one repository, such as codeql-action/init, are of one commit.
      const repository = action.split('/').slice(0, 2).join('/');
      commits.set(repository, (commits.get(repository) ?? new Set()).add(rest));
    }
  }
  for (const [repository, used] of commits) expect([repository, used.size]).toEqual([repository, 1]);
});

test('no workflow may write unless a job says so, and none that scans may sign', () => {
  for (const { name, workflow } of workflows) {
    expect([name, Object.values(workflow.permissions ?? { all: 'write' }).every((value) => value === 'read')]).toEqual([
      name,
      true,
    ]);
  }
  for (const { at, job } of jobs()) {
    const scans = (job.steps ?? []).some(({ uses = '' }) => /trivy|codeql/.test(uses));
    const signs = job.permissions?.['id-token'] === 'write' || job.permissions?.packages === 'write';
    expect([at, scans && signs]).toEqual([at, false]);
  }
});

test('a checkout leaves no token behind, except where a bump is pushed', () => {
  const kept = steps()
    .filter(({ step }) => step.uses?.startsWith('actions/checkout@') && step.with?.['persist-credentials'] !== false)
    .map(({ at }) => at);
  expect(kept).toEqual(['release.yml prepare']);
});

test('every job has its end', () => {
  const endless = jobs().filter(({ job }) => job.uses === undefined && !job['timeout-minutes']);
  expect(endless.map(({ at }) => at)).toEqual([]);
});

test('a workflow holds no logic: each command is a target of the Makefile or a script that is there', async () => {
  const makefile = await readFile(join(root, 'Makefile'), 'utf8');
  for (const { at, step } of steps()) {
    if (step.run === undefined) continue;
    const [command = '', argument = ''] = step.run.trim().split(/\s+/);
    expect([at, step.run, step.run.includes('\n')]).toEqual([at, step.run, false]);
    if (command === 'make') expect([at, makefile.includes(`\n${argument}:`)]).toEqual([at, true]);
    else {
      expect([at, command]).toEqual([at, expect.stringMatching(/^(scripts\/|\.ci\/run$)/)]);
      await access(join(root, command), constants.X_OK);
    }
  }
});

test('nothing that a stranger writes gets into a command', () => {
  for (const { at, step } of steps()) {
    for (const [, inside = ''] of (step.run ?? '').matchAll(/\$\{\{(.*?)\}\}/g)) {
      expect([at, inside.trim()]).toEqual([at, expect.stringMatching(/^(matrix\.\w+|github\.run_number)$/)]);
    }
  }
});
