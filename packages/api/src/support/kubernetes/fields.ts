import type { Support } from '../types.ts';

/** A field of a Kubernetes object, and the shape its value (or the items of its list) has, where that has one. */
export interface KubernetesField {
  readonly support: Support;
  readonly of?: string;
}
export type KubernetesTable = Readonly<Record<string, Readonly<Record<string, KubernetesField>>>>;

export function of(shape: string, support: Support): KubernetesField {
  return { support, of: shape };
}

/** Every field that Mizzen reads (those of `T`), and those of Kubernetes' own API that it does not. */
export function kubernetesFields<T extends object>(
  fields: { readonly [K in keyof T]-?: Support | KubernetesField } & Readonly<
    Record<string, Support | KubernetesField>
  >,
): Readonly<Record<string, KubernetesField>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]: [string, Support | KubernetesField]) => [
      name,
      'support' in field ? field : { support: field },
    ]),
  );
}
