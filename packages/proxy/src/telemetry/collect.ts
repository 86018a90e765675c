import type { Histogram } from './histogram.ts';

export type Values = Map<string, number>;
/** Histograms by name; what several of them counted counts together. */
export type Histograms = Map<string, readonly Histogram[]>;

/** Adds numbers under their names; the same name from two places adds up. */
export function addAll(values: Values, prefix: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) add(values, `${prefix}.${name}`, value);
}

export function add(values: Values, name: string, value: number): void {
  values.set(name, (values.get(name) ?? 0) + value);
}

/** The numbers among what an object holds. */
export function numbers(of: object): Record<string, number> {
  const out: Record<string, number> = {};
  for (const [name, value] of Object.entries(of) as [string, unknown][])
    if (typeof value === 'number') out[name] = value;
  return out;
}
