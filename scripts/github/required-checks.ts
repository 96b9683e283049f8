import { parse } from 'yaml';
import { z } from 'zod';

const Workflow = z.object({
  jobs: z.record(
    z.string(),
    z.object({
      strategy: z.object({ matrix: z.record(z.string(), z.array(z.string())) }).optional(),
    }),
  ),
});

const required = ['lint', 'tests', 'coverage'];

/**
 * The checks without which nothing is merged, as GitHub names them: a job by its id, one of a matrix with its values in
 * parentheses.
 * @param text of ci.yml
 */
export function requiredChecks(text: string): string[] {
  const { jobs } = Workflow.parse(parse(text));
  return required.flatMap((id) => {
    const job = jobs[id];
    if (!job) throw new Error(`ci.yml has no job ${id}.`);
    if (!job.strategy) return [id];
    const combinations = Object.values(job.strategy.matrix).reduce<string[][]>(
      (found, values) => found.flatMap((one) => values.map((value) => [...one, value])),
      [[]],
    );
    return combinations.map((values) => `${id} (${values.join(', ')})`);
  });
}
