import type { Snapshot, k8s } from '@mizzen/api';
import type { Diagnostic, Path } from '@mizzen/diagnostics';
import type { DesiredContainer } from '../../protocol.ts';
import { dataOf } from './data.ts';
import { containerResource } from './quantity.ts';
import type { Template } from './templates.ts';

type Env = DesiredContainer['env'][number];

/** Fields that a `fieldRef` may name (Kubernetes' downward API for environment variables). */
const FIELD =
  /^(?:metadata\.(?:name|namespace|uid|(?:labels|annotations)\['[^']+'\])|spec\.(?:nodeName|serviceAccountName)|status\.(?:hostIPs?|podIPs?))$/;

/**
 * A container's environment in Kubernetes' order: `envFrom`, then `env`, then what mizzen.yaml adds; a later value of a
 * name goes in place of an earlier one. Values that Kubernetes does not expand have their `$` doubled, for whoever starts
 * the container expands `$(NAME)` in all of them.
 */
export function environmentOf(
  template: Template,
  index: number,
  container: k8s.Container,
  added: Readonly<Record<string, string>>,
  snapshot: Snapshot,
  diagnostics: Diagnostic[],
): Env[] {
  const path = [...template.specPath, 'containers', index];
  const found = new Map<string, Env>();
  const set = (name: string, value: Env['value']): void => {
    found.delete(name);
    found.set(name, { name, value });
  };
  const source: Source = { template, snapshot, diagnostics };
  for (const [i, each] of (container.envFrom ?? []).entries()) {
    for (const [key, value] of everything(each, [...path, 'envFrom', i], source)) {
      set(`${each.prefix ?? ''}${key}`, literal(value));
    }
  }
  for (const [i, each] of (container.env ?? []).entries()) {
    const value =
      each.valueFrom === undefined
        ? String(each.value ?? '')
        : oneValue(each, [...path, 'env', i, 'valueFrom'], container, source);
    if (value !== undefined) set(each.name, value);
  }
  for (const [name, value] of Object.entries(added)) set(name, value);
  return [...found.values()];
}

interface Source {
  readonly template: Template;
  readonly snapshot: Snapshot;
  readonly diagnostics: Diagnostic[];
}

const literal = (value: string): string => value.replaceAll('$', '$$$$');

function everything(each: k8s.EnvFromSource, path: Path, source: Source): [string, string][] {
  const kind = each.configMapRef === undefined ? 'Secret' : 'ConfigMap';
  const field = each.configMapRef === undefined ? 'secretRef' : 'configMapRef';
  const reference = each[field];
  if (reference === undefined) return [];
  const data = dataOf(source.snapshot, kind, source.template.owner.namespace, reference.name);
  if (data !== undefined) return [...data];
  if (reference.optional !== true)
    missing(`${kind} \`${reference.name}\` does not exist`, [...path, field, 'name'], source);
  return [];
}

function oneValue(each: k8s.EnvVar, path: Path, container: k8s.Container, source: Source): Env['value'] | undefined {
  const { fieldRef, configMapKeyRef, secretKeyRef, resourceFieldRef } = each.valueFrom ?? {};
  if (fieldRef !== undefined) {
    if (FIELD.test(fieldRef.fieldPath)) return { field: fieldRef.fieldPath };
    missing(
      `there is no field \`${fieldRef.fieldPath}\` to take \`${each.name}\` from`,
      [...path, 'fieldRef', 'fieldPath'],
      source,
    );
    return undefined;
  }
  if (resourceFieldRef !== undefined) {
    const value = containerResource(container, resourceFieldRef);
    if (value !== undefined) return value;
    missing(`there is no resource \`${resourceFieldRef.resource}\``, [...path, 'resourceFieldRef', 'resource'], source);
    return undefined;
  }
  const reference = configMapKeyRef ?? secretKeyRef;
  if (reference === undefined) return undefined;
  const [kind, field] =
    configMapKeyRef === undefined ? (['Secret', 'secretKeyRef'] as const) : (['ConfigMap', 'configMapKeyRef'] as const);
  const name = reference.name ?? '';
  const data = dataOf(source.snapshot, kind, source.template.owner.namespace, name);
  const value = data?.get(reference.key);
  if (value !== undefined) return literal(value);
  if (reference.optional === true) return undefined;
  if (data === undefined) missing(`${kind} \`${name}\` does not exist`, [...path, field, 'name'], source);
  else missing(`${kind} \`${name}\` has no key \`${reference.key}\``, [...path, field, 'key'], source);
  return undefined;
}

function missing(message: string, path: Path, { template, diagnostics }: Source): void {
  diagnostics.push({
    code: 'MZ0102',
    severity: 'warning',
    message,
    ref: template.ref,
    path,
    help: 'the variable is left unset; in a cluster the container would not start',
  });
}
