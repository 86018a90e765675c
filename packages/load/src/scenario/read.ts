import { dirname, resolve } from 'node:path';
import type { Diagnostic, Path } from '@mizzen/diagnostics';
import { parseThreshold } from '../thresholds.ts';
import { MODES } from '../modes.ts';
import { Reader } from './reader.ts';
import { readStep } from './read-step.ts';
import { readVariables } from './read-variables.ts';
import { template } from './template.ts';
import type { GrpcSource, Plan, Protocol, Scenario } from './types.ts';

const TOP = [
  'target',
  'mode',
  'rate',
  'peak',
  'duration',
  'arrival',
  'concurrency',
  'connections',
  'timeout',
  'protocol',
  'headers',
  'variables',
  'thresholds',
  'grpc',
  'scenarios',
] as const;
const SCENARIO = ['weight', 'protocol', 'target', 'headers', 'variables', 'think', 'timeout', 'steps'] as const;
const PROTOCOLS: readonly Protocol[] = ['http1', 'http2', 'grpc'];
export const DEFAULT_TIMEOUT_MS = 10_000;

/** Reads a file of scenarios; `plan` is undefined when something is wrong with it. */
export function readPlan(
  file: string,
  text: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): { readonly plan: Plan | undefined; readonly diagnostics: readonly Diagnostic[] } {
  const reader = new Reader(file, text);
  const plan = reader.diagnostics.length > 0 ? undefined : planOf(reader, file, environment);
  return { plan: reader.diagnostics.length > 0 ? undefined : plan, diagnostics: reader.diagnostics };
}

function planOf(
  reader: Reader,
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Plan | undefined {
  const top = reader.object(reader.value, [], TOP);
  if (top === undefined) return undefined;
  const scenarios = reader.object(top['scenarios'] ?? {}, ['scenarios']);
  if (scenarios === undefined) return undefined;
  if (Object.keys(scenarios).length === 0) return reader.wrong(['scenarios'], 'at least one scenario is needed');
  const durationMs = reader.duration(top['duration'], ['duration']);
  const thresholds = reader.scalars(top['thresholds'], ['thresholds']);
  for (const [index, threshold] of thresholds.entries()) {
    const parsed = parseThreshold(threshold);
    if (typeof parsed === 'string') reader.wrong(['thresholds', index], parsed);
  }
  const defaults: Defaults = {
    timeoutMs: reader.duration(top['timeout'], ['timeout']) ?? DEFAULT_TIMEOUT_MS,
    protocol: reader.oneOf(top['protocol'], ['protocol'], PROTOCOLS) ?? 'http1',
    headers: top['headers'],
    variables: top['variables'],
    environment,
  };
  return {
    target: reader.string(top['target'], ['target']),
    mode: reader.oneOf(top['mode'], ['mode'], MODES),
    rate: reader.number(top['rate'], ['rate'], 0.001),
    peak: reader.number(top['peak'], ['peak'], 0.001),
    seconds: durationMs === undefined ? undefined : durationMs / 1000,
    arrival: reader.oneOf(top['arrival'], ['arrival'], ['constant', 'poisson'] as const),
    concurrency: reader.number(top['concurrency'], ['concurrency'], 1, true),
    connections: reader.number(top['connections'], ['connections'], 1, true),
    thresholds,
    grpc: grpcOf(reader, top['grpc'], file),
    scenarios: Object.entries(scenarios).flatMap(
      ([name, value]) => scenarioOf(reader, name, value, ['scenarios', name], defaults) ?? [],
    ),
  };
}

interface Defaults {
  readonly timeoutMs: number;
  readonly protocol: Protocol;
  readonly headers: unknown;
  readonly variables: unknown;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

function scenarioOf(
  reader: Reader,
  name: string,
  value: unknown,
  path: Path,
  defaults: Defaults,
): Scenario | undefined {
  const fields = reader.object(value, path, SCENARIO);
  if (fields === undefined) return undefined;
  const steps = reader.list(fields['steps'], [...path, 'steps']);
  if (steps.length === 0) return reader.wrong([...path, 'steps'], 'at least one step is needed');
  const protocol = reader.oneOf(fields['protocol'], [...path, 'protocol'], PROTOCOLS) ?? defaults.protocol;
  const timeoutMs = reader.duration(fields['timeout'], [...path, 'timeout']) ?? defaults.timeoutMs;
  const target = reader.string(fields['target'], [...path, 'target']);
  return {
    name,
    weight: reader.number(fields['weight'], [...path, 'weight']) ?? 1,
    protocol,
    target: target === undefined ? undefined : template(target),
    variables: new Map([
      ...readVariables(reader, defaults.variables, ['variables'], defaults.environment),
      ...readVariables(reader, fields['variables'], [...path, 'variables'], defaults.environment),
    ]),
    steps: steps.flatMap((each, i) => {
      const inherited = { protocol, timeoutMs, think: fields['think'] };
      const headers = [
        [defaults.headers, ['headers']],
        [fields['headers'], [...path, 'headers']],
      ] as const;
      return readStep(reader, each, [...path, 'steps', i], i, { ...inherited, headers }) ?? [];
    }),
  };
}

function grpcOf(reader: Reader, value: unknown, file: string): GrpcSource {
  if (value === undefined) return { protos: [], include: [] };
  const fields = reader.object(value, ['grpc'], ['proto', 'include']);
  const near = (path: string): string => resolve(dirname(file), path);
  return {
    protos: reader.scalars(fields?.['proto'], ['grpc', 'proto']).map(near),
    include: reader.scalars(fields?.['include'], ['grpc', 'include']).map(near),
  };
}
