import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs, parseEnv } from 'node:util';
import { type GhCall, labelCalls, rulesetCall, rulesetName, settingCalls, teamCalls } from './github/calls.ts';
import { requiredChecks } from './github/required-checks.ts';

const usage = `Sets up a repository on GitHub: secrets and feature flags, teams, labels, and the rules of main and release/*.

scripts/setup-github.sh --repo OWNER/NAME --env-file FILE [--apply]

  --repo OWNER/NAME   the repository, of an organisation
  --env-file FILE     NAME=VALUE lines: what .env.example says a production must set, feature flags, and DOCKERHUB_USERNAME
                      and DOCKERHUB_TOKEN where images go there too. Keep it out of the repository
  --apply             do it; without this it only tells what it would do. Needs gh, signed in as one who may
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      repo: { type: 'string' },
      'env-file': { type: 'string' },
      apply: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const { repo, 'env-file': envFile, apply = false } = values;
  if (!repo || !/^[\w.-]+\/[\w.-]+$/.test(repo) || !envFile) {
    process.stderr.write(usage);
    return 2;
  }
  const workflow = await readFile(fileURLToPath(new URL('../.github/workflows/ci.yml', import.meta.url)), 'utf8');
  const settings = settingCalls(repo, parseEnv(await readFile(envFile, 'utf8')));
  const id = apply ? existingRuleset(repo) : undefined;
  const calls = [...settings, ...teamCalls(repo), ...labelCalls(repo), rulesetCall(repo, requiredChecks(workflow), id)];
  for (const call of calls) {
    process.stdout.write(`${apply ? '' : 'would set '}${call.what}\n`);
    if (apply) run(call);
    else
      process.stdout.write(
        `  gh ${call.args.join(' ')}${call.input ? ` <<< ${call.isSecret ? '***' : call.input}` : ''}\n`,
      );
  }
  if (!apply) process.stdout.write('Nothing was changed: --apply does it.\n');
  return 0;
}

function run({ what, args, input }: GhCall): void {
  try {
    execFileSync('gh', [...args], { input: input ?? '', stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? error);
    // Asked again, a team is there already.
    if (args.some((part) => part.endsWith('/teams')) && said.includes('422')) return;
    throw new Error(`${what}: ${said.trim()}`, { cause: error });
  }
}

/** The id of the rules that an earlier run made. */
function existingRuleset(repository: string): string | undefined {
  const found = execFileSync('gh', [
    'api',
    `repos/${repository}/rulesets`,
    '--jq',
    `.[] | select(.name == "${rulesetName}") | .id`,
  ]);
  return String(found).trim().split('\n')[0] || undefined;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`setup-github: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
