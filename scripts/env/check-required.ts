import type { Variable } from '@semantic-memory/runtime/config-variable';
import { configVariables } from '@semantic-memory/runtime/config-variables';

/**
 * Which of the variables that a production must set are missing or malformed, a sentence each, without the values.
 * An empty variable counts as missing.
 */
export function checkRequired(env: Readonly<Record<string, string | undefined>>): string[] {
  const findings: string[] = [];
  for (const variable of Object.values(configVariables) as Variable<unknown>[]) {
    if (!variable.requiredInProduction) continue;
    const value = env[variable.name]?.trim();
    if (!value) {
      findings.push(`${variable.name} is missing (expected: ${variable.format}).`);
      continue;
    }
    const parsed = variable.schema.safeParse(value);
    if (parsed.success) continue;
    const fault = parsed.error.issues[0]?.message ?? 'is malformed';
    findings.push(`${variable.name} ${fault} (expected: ${variable.format}).`);
  }
  return findings;
}
