import { type JsonSchema, typeText } from './json-schema.ts';
import { markdownTable } from './markdown-table.ts';

/** A shape as people read it: what it is, then a table of its fields (of each of its variants), or its type. */
export function shapeText(schema: JsonSchema): string {
  const tables = variantsOf(schema).map((variant) => fieldRows(variant, ''));
  const shape = tables.every((rows) => rows.length > 0)
    ? tables.map((rows) => markdownTable(['field', 'type', 'needed', 'meaning'], rows)).join('\n\nor\n\n')
    : `It is ${article(typeText(schema))}.`;
  return schema.description ? `${schema.description}\n\n${shape}` : shape;
}

const article = (type: string) => (/^(list|map)/.test(type) ? `a ${type}` : type);

/** The objects that a schema allows; itself where it is no choice between objects. */
function variantsOf(schema: JsonSchema): readonly JsonSchema[] {
  const variants = (schema.oneOf ?? schema.anyOf)?.filter(({ properties }) => properties) ?? [];
  return variants.length > 0 ? variants : [schema];
}

/** One row for each field; objects without a name of their own are told field by field, as `stages[].name`. */
function fieldRows(schema: JsonSchema, prefix: string): string[][] {
  const { properties = {}, additionalProperties: others } = schema;
  const rows = Object.entries(properties).flatMap(([name, field]) =>
    rowsOf(field, `${prefix}${name}`, schema.required?.includes(name) ?? false),
  );
  const hasFreeNames = rows.length > 0 && typeof others === 'object';
  return hasFreeNames ? [...rows, ...rowsOf(others, `${prefix}FIELD`, false)] : rows;
}

function rowsOf(field: JsonSchema, path: string, isNeeded: boolean): string[][] {
  const row = [`\`${path}\``, typeText(field), needText(field, isNeeded), field.description ?? ''];
  const [inner, below] = field.items ? [field.items, `${path}[].`] : [field, `${path}.`];
  if (inner.$ref) return [row];
  return [row, ...variantsOf(inner).flatMap((variant) => fieldRows(variant, below))];
}

function needText(field: JsonSchema, isNeeded: boolean): string {
  if (field.default !== undefined) return `no: \`${JSON.stringify(field.default)}\``;
  return isNeeded ? 'yes' : 'no';
}
