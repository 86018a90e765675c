import type { Diagnostic } from '@mizzen/diagnostics';
import { KINDS } from '../kind-table.ts';
import type { KindSpecs } from '../kinds.ts';
import { checkMeshConfig } from '../mesh/read.ts';
import { refOf } from '../resource.ts';
import type { Resource } from '../resource.ts';
import { checkMessage } from './schema-check.ts';
import type { Problem } from './schema-check.ts';

/**
 * What is wrong with one resource by itself: its shape first and, if that is right, the rules of its kind as istiod's
 * webhook has them. Errors keep a resource from being applied; warnings do not. Spans are looked up by whoever prints.
 */
export function validateResource(resource: Resource): Diagnostic[] {
  if (resource.kind === 'IstioOperator' || resource.kind === 'ConfigMap') {
    return checkMeshConfig(resource).map((problem) => ({ ...problem, ref: refOf(resource) }));
  }
  const { message } = KINDS[resource.kind as keyof KindSpecs];
  const problems: readonly Problem[] = message ? checkMessage(resource.spec, message, ['spec']) : [];
  const ref = refOf(resource);
  return problems.map((problem) => ({ ...problem, ref }));
}
