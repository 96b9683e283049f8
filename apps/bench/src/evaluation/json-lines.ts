import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** The lines of a JSONL file, each checked. @throws Error naming file and line of the first that is not as it should be */
export async function readJsonLines<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema>[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  const records: z.output<Schema>[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const where = `${path}:${index + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new Error(`${where} is not JSON`, { cause });
    }
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw new Error(`${where}: ${z.prettifyError(parsed.error)}`);
    records.push(parsed.data);
  }
  return records;
}
