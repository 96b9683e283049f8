/** The parts of JSON Schema that zod writes for our shapes. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly description?: string;
  readonly default?: unknown;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly contentMediaType?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** The name that a reference leads to: `#/components/schemas/Job` and `#/$defs/Job` are `Job`. */
export const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);

/** What a value may be, in words; references are links to headings of the same page. */
export function typeText(schema: JsonSchema): string {
  if (schema.$ref) return `[${nameOf(schema.$ref)}](#${nameOf(schema.$ref).toLowerCase()})`;
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(typeText).join(' or ');
  if (schema.prefixItems) return `list of exactly ${schema.prefixItems.map(typeText).join(', ')}`;
  if (schema.items) return `list${counted(schema.minItems, schema.maxItems)} of ${typeText(schema.items)}`;
  if (schema.type === 'object') return objectText(schema);
  if (Array.isArray(schema.type)) return schema.type.map((type: string) => typeText({ type })).join(' or ');
  if (schema.type === 'string') return stringText(schema);
  if (schema.type === 'integer' || schema.type === 'number') return numberText(schema);
  return typeof schema.type === 'string' ? schema.type : 'anything';
}

function objectText({ properties, additionalProperties }: JsonSchema): string {
  if (properties) return 'object';
  if (typeof additionalProperties !== 'object') return 'object';
  return `map of names to ${typeText(additionalProperties)}`;
}

function stringText({ format, minLength, maxLength, pattern, contentMediaType }: JsonSchema): string {
  if (contentMediaType) return `bytes of \`${contentMediaType}\``;
  if (format === 'date-time') return 'time, ISO-8601';
  if (pattern) return `text like \`${pattern}\``;
  const noun = format === 'uri' ? 'address' : 'text';
  const length = bounds(minLength, maxLength);
  return length ? `${noun} of ${length} characters` : noun;
}

/** JavaScript's largest whole numbers: no bound of ours. */
const unbounded = (bound: number | undefined) =>
  bound === undefined || Math.abs(bound) === Number.MAX_SAFE_INTEGER ? undefined : bound;

function numberText({ type, minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const noun = type === 'integer' ? 'whole number' : 'number';
  if (exclusiveMinimum !== undefined) return `${noun} above ${exclusiveMinimum}`;
  return `${noun}${counted(unbounded(minimum), unbounded(maximum))}`;
}

function counted(least: number | undefined, most: number | undefined): string {
  const text = bounds(least, most);
  return text && ` (${text})`;
}

function bounds(least: number | undefined, most: number | undefined): string {
  const format = (value: number) => value.toLocaleString('en-US');
  if (least !== undefined && most !== undefined) return `${format(least)} to ${format(most)}`;
  if (most !== undefined) return `up to ${format(most)}`;
  return least === undefined ? '' : `${format(least)} or more`;
}
