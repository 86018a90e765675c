import { availableParallelism, totalmem } from 'node:os';
import type { k8s } from '@mizzen/api';
import { isRecord } from '@mizzen/api';

const UNITS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A Kubernetes quantity, e.g. `500m` or `128Mi`, as a number; undefined when it is not one. */
export function parseQuantity(text: string): number | undefined {
  const match = /^([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)([numkMGTPE]?i?)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ' '];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

/**
 * The value of a `resourceFieldRef`: rounded up to whole divisors (cores, bytes). Without a limit of its own a container
 * has what the machine has. Undefined for resources that are not counted here.
 */
export function containerResource(
  container: k8s.Container,
  reference: { readonly resource: string; readonly divisor?: string | number },
): string | undefined {
  const [kind, name] = reference.resource.split('.');
  if ((kind !== 'limits' && kind !== 'requests') || name === undefined) return undefined;
  const resources: unknown = (container as { readonly resources?: unknown }).resources;
  const list = isRecord(resources) ? resources[kind] : undefined;
  const written = isRecord(list) ? parseQuantity(String(list[name])) : undefined;
  const whole: Readonly<Record<string, number>> = {
    cpu: availableParallelism(),
    memory: totalmem(),
    'ephemeral-storage': 0,
  };
  const value = written ?? (kind === 'limits' ? whole[name] : name in whole ? 0 : undefined);
  if (value === undefined) return undefined;
  const divisor = parseQuantity(String(reference.divisor ?? '1')) ?? 1;
  return String(Math.ceil(value / (divisor === 0 ? 1 : divisor)));
}
