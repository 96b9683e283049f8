import type { Variable } from '@semantic-memory/runtime/config-variable';
import { configVariables } from '@semantic-memory/runtime/config-variables';

/** One call of gh. */
export interface GhCall {
  /** What it does, for people. */
  readonly what: string;
  readonly args: readonly string[];
  /** Sent on its standard input: a payload as JSON, or a secret, which must not stand among the arguments. */
  readonly input?: string;
  readonly isSecret?: boolean;
}

const variables: readonly Variable<unknown>[] = Object.values(configVariables);
const featureFlags = variables.filter(({ feature }) => feature).map(({ name }) => name);
/** What the workflows read beside what a production must set. */
const optionalSecrets = ['DOCKERHUB_USERNAME', 'DOCKERHUB_TOKEN'];
const requiredSecrets = variables.filter(({ requiredInProduction }) => requiredInProduction).map(({ name }) => name);

/**
 * Secrets and feature flags that the workflows read, from the environment file.
 * @throws Error naming every one that is missing, malformed, or that nothing reads
 */
export function settingCalls(repository: string, env: Readonly<Record<string, string | undefined>>): GhCall[] {
  const set = ([name, value]: [string, string | undefined]) => (value?.trim() ? [name] : []);
  const given = Object.entries(env).flatMap(set);
  const known = [...requiredSecrets, ...optionalSecrets, ...featureFlags];
  const faults = [
    ...requiredSecrets.filter((name) => !given.includes(name)).map((name) => `${name} is missing.`),
    ...given.filter((name) => !known.includes(name)).map((name) => `${name} is neither a secret nor a feature flag.`),
    ...variables.flatMap(({ name, schema, format }) =>
      given.includes(name) && known.includes(name) && !schema.safeParse(env[name]).success
        ? [`${name} is malformed (expected: ${format}).`]
        : [],
    ),
  ];
  if (faults.length > 0) throw new Error(`The environment file cannot be used:\n${faults.join('\n')}`);
  return known.flatMap((name): GhCall[] => {
    const value = env[name]?.trim();
    if (!value) return [];
    if (!featureFlags.includes(name)) {
      return [
        { what: `secret ${name}`, args: ['secret', 'set', name, '--repo', repository], input: value, isSecret: true },
      ];
    }
    const args = ['variable', 'set', name, '--repo', repository, '--body', value];
    return [{ what: `feature flag ${name}`, args }];
  });
}

const teams = {
  infra: 'Chart, images, workflows and what runs in production',
  api: 'Service and packages',
  docs: 'Documentation',
};

/** The teams that .github/CODEOWNERS names, each with the right to push. */
export function teamCalls(repository: string): GhCall[] {
  const [organisation = ''] = repository.split('/');
  return Object.entries(teams).flatMap(([name, description]) => [
    {
      what: `team ${name}`,
      args: ['api', '--method', 'POST', `orgs/${organisation}/teams`, '--input', '-'],
      input: JSON.stringify({ name, description, privacy: 'closed' }),
    },
    {
      what: `team ${name} may push`,
      args: ['api', '--method', 'PUT', `orgs/${organisation}/teams/${name}/repos/${repository}`, '--input', '-'],
      input: JSON.stringify({ permission: 'push' }),
    },
  ]);
}

const labels = [
  ['bug', 'd73a4a', 'Something does not do what is promised'],
  ['enhancement', 'a2eeef', 'Something new'],
  ['triage', 'fbca04', 'Nobody has looked at it yet'],
  ['documentation', '0075ca', 'About the documentation'],
  ['security', 'b60205', 'About the safety of the service'],
  ['infra', '5319e7', 'Chart, images, workflows'],
  ['good first issue', '7057ff', 'Small, and well described'],
] as const;

export const labelCalls = (repository: string): GhCall[] =>
  labels.map(([name, color, description]) => ({
    what: `label ${name}`,
    args: ['label', 'create', name, '--repo', repository, '--color', color, '--description', description, '--force'],
  }));

export const rulesetName = 'main and releases';

/**
 * The rules of `main` and `release/*`: two approvals, gone when something is pushed, by the owners of the code; the checks
 * pass on the newest state; no force, no deletion. https://docs.github.com/rest/repos/rules
 * @param checks names of the checks as GitHub shows them
 * @param id of the rules that are there already
 */
export function rulesetCall(repository: string, checks: readonly string[], id?: string): GhCall {
  const payload = {
    name: rulesetName,
    target: 'branch',
    enforcement: 'active',
    conditions: { ref_name: { include: ['refs/heads/main', 'refs/heads/release/*'], exclude: [] } },
    rules: [
      { type: 'deletion' },
      { type: 'non_fast_forward' },
      {
        type: 'pull_request',
        parameters: {
          required_approving_review_count: 2,
          dismiss_stale_reviews_on_push: true,
          require_code_owner_review: true,
          require_last_push_approval: true,
          required_review_thread_resolution: true,
        },
      },
      {
        type: 'required_status_checks',
        parameters: {
          strict_required_status_checks_policy: true,
          required_status_checks: checks.map((context) => ({ context })),
        },
      },
    ],
  };
  const address = `repos/${repository}/rulesets${id ? `/${id}` : ''}`;
  return {
    what: `rules of main and release/*: two approvals, and ${checks.join(', ')}`,
    args: ['api', '--method', id ? 'PUT' : 'POST', address, '--input', '-'],
    input: JSON.stringify(payload),
  };
}
