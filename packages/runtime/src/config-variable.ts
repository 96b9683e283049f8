import type { z } from 'zod';

/** What people are told of an environment variable. */
export interface DescribedVariable {
  readonly name: string;
  readonly purpose: string;
  /** What may be written, for people. */
  readonly format: string;
  /** The text that stands for an unset variable; undefined where there is none. */
  readonly default?: string;
  /** How the default reads where it depends on the machine or on other variables. */
  readonly defaultDescription?: string;
  /** When the start fails without it. */
  readonly requiredWhen?: string;
  /** A production must set it, although there may be a default: `scripts/check-env --require` says where it does not. */
  readonly requiredInProduction?: boolean;
  /** Turns a part of what the service does on or off. */
  readonly feature?: boolean;
}

/** One environment variable of the service: what it means, and how its text becomes a value. */
export interface Variable<Value> extends DescribedVariable {
  readonly schema: z.ZodType<Value>;
}

type About = Omit<DescribedVariable, 'name' | 'default'>;

/** A variable that has a value in any case: `fallback` is the text that stands for it where it is not set. */
export const always = <Value>(
  name: string,
  fallback: string,
  schema: z.ZodType<Value>,
  about: About,
): Variable<Value> & { readonly default: string } => ({ name, default: fallback, schema, ...about });

export const optional = <Value>(name: string, schema: z.ZodType<Value>, about: About): Variable<Value | undefined> => ({
  name,
  schema,
  ...about,
});
