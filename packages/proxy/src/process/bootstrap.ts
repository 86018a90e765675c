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
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BootstrapError(`\`${path}\` is not a bootstrap`);
  return value as Readonly<Record<string, unknown>>;
}

/** What is read of a bootstrap, and what has no effect on a proxy without workers, runtime and stats sinks. */
const KNOWN = new Set(['staticResources', 'admin', 'node']);
const NO_EFFECT = new Set([
  'bootstrapExtensions',
  'layeredRuntime',
  'overloadManager',
  'statsConfig',
  'statsFlushInterval',
  'enableDispatcherStats',
  'watchdog',
  'watchdogs',
  'defaultRegexEngine',
  'fatalActions',
]);

/** Names of the fields of a bootstrap that would mean something and cannot be had here. */
export function unsupportedFields(bootstrap: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(bootstrap)
    .map((name) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()))
    .filter((name) => !KNOWN.has(name) && !NO_EFFECT.has(name));
}

/** Where `admin` is to listen; undefined when there is none. Either spelling of the field names. */
export function adminAddress(
  bootstrap: Readonly<Record<string, unknown>>,
): { readonly address: string; readonly port: number } | undefined {
  const address = child(child(bootstrap['admin'], 'address'), 'socketAddress', 'socket_address');
  const host = child(address, 'address');
  const port = child(address, 'portValue', 'port_value');
  return typeof host === 'string' && typeof port === 'number' ? { address: host, port } : undefined;
}

function child(value: unknown, ...names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const name = names.find((each) => each in value);
  return name === undefined ? undefined : (value as Readonly<Record<string, unknown>>)[name];
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
