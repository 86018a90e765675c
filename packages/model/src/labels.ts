import type { k8s } from '@mizzen/api';

export type Labels = Readonly<Record<string, string>>;

/** True when `labels` has every pair of `selector`; an empty selector fits all. */
export function fits(selector: Labels | undefined, labels: Labels): boolean {
  if (selector === undefined) return true;
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

export function isEmpty(labels: Labels | undefined): boolean {
  if (labels === undefined) return true;
  for (const _ in labels) return false;
  return true;
}

/** Kubernetes' LabelSelector; an absent one fits nothing, an empty one all. */
export function fitsSelector(selector: k8s.LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  if (!fits(selector.matchLabels, labels)) return false;
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels[key];
    const ok =
      operator === 'In'
        ? value !== undefined && values.includes(value)
        : operator === 'NotIn'
          ? value === undefined || !values.includes(value)
          : operator === 'Exists'
            ? value !== undefined
            : value === undefined;
    if (!ok) return false;
  }
  return true;
}

/** The same text for the same labels, whatever their order. */
export function labelsKey(labels: Labels | undefined): string {
  return Object.entries(labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(' ');
}
