import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';

/** A bootstrap that cannot be used. */
export class BootstrapError extends Error {
  readonly code = 'BAD_BOOTSTRAP';
}

/** A bootstrap file as data: YAML, or JSON, which is YAML too. */
export function readBootstrap(path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new BootstrapError(`\`${path}\` cannot be read: ${message(error)}`, { cause: error });
  }
  let value: unknown;
  try {
    value = path.endsWith('.json') ? JSON.parse(text) : load(text, { filename: path });
  } catch (error) {
    throw new BootstrapError(`\`${path}\` cannot be parsed: ${message(error)}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new BootstrapError(`\`${path}\` is not a bootstrap`);
  return value as Readonly<Record<string, unknown>>;
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
