import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { findPrometheus } from '../local/prometheus-binary.ts';
import { runCommand } from '../local/run-command.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(repository, 'docs/alerts');
const runbooks = 'https://github.com/semantic-memory/semantic-memory/blob/main/docs/runbooks/';

interface Alert {
  readonly alert: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}
interface RuleFile {
  readonly groups: readonly { readonly rules: readonly (Alert | { readonly record: string })[] }[];
}
interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
  }[];
}

const names = (await readdir(folder)).filter((file) => file.endsWith('.yaml'));
const readYaml = async <Content>(path: string): Promise<Content> => parse(await readFile(join(folder, path), 'utf8'));

const tools = await findPrometheus(console.error);
if (!tools)
  console.warn('skipped: tool missing: promtool, from the package prometheus. The alert rules were NOT tested.');
const testWithPromtool = tools ? test : test.skip;

testWithPromtool.each(names)(
  'promtool finds no fault in %s, and each alert fires and is silent as its tests say',
  async (name) => {
    const promtool = tools?.promtool ?? '';
    const checked = await runCommand(promtool, ['check', 'rules', join(folder, name)]);
    expect(checked).toMatchObject({ ok: true, output: expect.stringContaining('SUCCESS') });
    const tested = await runCommand(promtool, ['test', 'rules', join(folder, 'tests', name)]);
    expect(tested).toMatchObject({ ok: true, output: expect.stringContaining('SUCCESS') });
  },
  120_000,
);

test('each alert has a severity, a summary, a runbook, a case in which it fires and one in which it is silent', async () => {
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    const { groups } = await readYaml<RuleFile>(name);
    const { tests } = await readYaml<RuleTests>(`tests/${name}`);
    const cases = tests.flatMap((one) => one.alert_rule_test);
    for (const rule of groups.flatMap(({ rules }) => rules)) {
      if (!('alert' in rule)) continue;
      const { alert, labels, annotations } = rule;
      expect(['page', 'ticket']).toContain(labels.severity);
      expect(annotations.summary.length).toBeGreaterThan(10);
      expect(annotations.runbook_url).toMatch(new RegExp(`^${runbooks}[a-z-]+\\.md$`));
      await access(join(repository, 'docs/runbooks', annotations.runbook_url.slice(runbooks.length)));
      const ofAlert = cases.filter(({ alertname }) => alertname === alert);
      const firing = ofAlert.filter(({ exp_alerts }) => exp_alerts.length > 0).length;
      expect({ alert, fires: firing > 0, silent: ofAlert.length > firing }).toEqual({
        alert,
        fires: true,
        silent: true,
      });
    }
  }
});

test('each runbook is linked from an alert or from the list of runbooks, and says what to do with commands', async () => {
  const files = (await readdir(join(repository, 'docs/runbooks'))).filter((file) => file !== 'README.md');
  const list = await readFile(join(repository, 'docs/runbooks/README.md'), 'utf8');
  for (const file of files) {
    expect(list).toContain(`(${file})`);
    expect(await readFile(join(repository, 'docs/runbooks', file), 'utf8')).toMatch(/^```sh$/m);
  }
});
