import type { DescribedVariable } from './config-variable.ts';
import { configVariables } from './config-variables.ts';

/** The section of .env.example with what turns parts of the service on or off. */
export const featureSection = 'Feature flags';

/**
 * The text of `.env.example`: every variable with purpose, format, default, and whether a production must set it.
 * @param commands variables that no process of the service reads, but the commands beside it
 */
export function renderEnvExample(commands: readonly DescribedVariable[] = []): string {
  const service: readonly DescribedVariable[] = Object.values(configVariables);
  const sections = [
    section(
      'Settings',
      service.filter(({ feature }) => !feature),
    ),
    section(
      featureSection,
      service.filter(({ feature }) => feature),
    ),
    ...(commands.length > 0 ? [section('Commands', commands)] : []),
  ];
  return `# Every variable that semantic-memory reads. Uncomment what you change.\n\n${sections.join('\n')}`;
}

const section = (name: string, variables: readonly DescribedVariable[]) =>
  `# ---- ${name}\n\n${variables.map(entry).join('\n')}`;

function entry(variable: DescribedVariable): string {
  const fallback = variable.defaultDescription ?? (variable.default || 'none');
  const required = variable.requiredWhen ? ` Required where ${variable.requiredWhen}.` : '';
  const need = variable.requiredInProduction ? 'Required in production.' : 'Optional.';
  const value = variable.defaultDescription === undefined ? (variable.default ?? '') : '';
  const facts = `# Format: ${variable.format}. Default: ${fallback}. ${need}`;
  return `# ${variable.purpose}${required}\n${facts}\n#${variable.name}=${value}\n`;
}
