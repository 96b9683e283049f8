import type { DescribedVariable } from '@semantic-memory/runtime/config-variable';
import { configVariables } from '@semantic-memory/runtime/config-variables';
import { topicOf, topics } from './configuration-topics.ts';
import { markdownTable } from './markdown-table.ts';

const introduction = `# Configuration

Everything is set by environment variables; an empty one counts as unset. Under \`make up\` they may stand in a file \`.env\`
([.env.example](../.env.example) has all of them), in a cluster they are values of the chart ([helm](../helm/README.md)).
A process whose environment cannot be used does not start, and says every fault at once. \`scripts/check-env --require\` says
what a production lacks: the variables that are marked _production_. A _feature_ turns a part of the service on or off.

\`make docs\` writes this page from the code.
`;

/**
 * The text of docs/configuration.md.
 * @param commands variables that no process of the service reads, but the commands beside it
 */
export function renderConfigurationPage(commands: readonly DescribedVariable[]): string {
  const fields = Object.entries(topicOf) as [keyof typeof configVariables, string][];
  const sections = topics.map((topic) => {
    const own = fields.filter(([, of]) => of === topic).map(([field]) => configVariables[field]);
    return section(topic, own);
  });
  return [introduction, ...sections, section('Commands', commands)].join('\n');
}

const section = (title: string, variables: readonly DescribedVariable[]) => `## ${title}\n\n${table(variables)}\n`;

const table = (variables: readonly DescribedVariable[]) =>
  markdownTable(
    ['variable', 'what', 'format', 'default', 'needed'],
    variables.map((variable) => [
      `\`${variable.name}\``,
      variable.purpose,
      variable.format,
      variable.defaultDescription ?? (variable.default ? `\`${variable.default}\`` : 'none'),
      need(variable),
    ]),
  );

function need({ requiredInProduction, requiredWhen, feature }: DescribedVariable): string {
  const needs = [
    ...(requiredInProduction ? ['_production_'] : []),
    ...(requiredWhen ? [`where ${requiredWhen}`] : []),
    ...(feature ? ['_feature_'] : []),
  ];
  return needs.join('; ');
}
