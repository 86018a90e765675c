import { KINDS } from '../kind-table.ts';
import type { KindSpecs } from '../kinds.ts';
import { schema } from '../schema.ts';
import { common } from './common.ts';
import { destinationRule } from './destination-rule.ts';
import { envoyFilter } from './envoy-filter.ts';
import { extensions } from './extensions.ts';
import { extensionProviders } from './extension-providers.ts';
import { gateway } from './gateway.ts';
import { meshConfig } from './mesh-config.ts';
import { proxyConfig } from './proxy-config.ts';
import { security } from './security.ts';
import { serviceEntry } from './service-entry.ts';
import { sidecar } from './sidecar.ts';
import { targets } from './targets.ts';
import { telemetry } from './telemetry.ts';
import type { Engine, MessageTable, Outcome, Support } from './types.ts';
import { on, supportedBySome } from './types.ts';
import { virtualService } from './virtual-service.ts';

export type {
  Engine,
  Exception,
  MessageSupport,
  MessageTable,
  NoEffect,
  NotYet,
  Outcome,
  PerEngine,
  Support,
  Supported,
} from './types.ts';
export { ENGINES, on, supportedBySome } from './types.ts';
export { METADATA } from './annotations.ts';
export { PLAIN_KINDS, WHOLE_KINDS } from './kinds.ts';
export { KUBERNETES, KUBERNETES_ROOTS } from './kubernetes/index.ts';
export type { KubernetesField } from './kubernetes/index.ts';

/** What becomes of every field of every message that a kind or the mesh configuration leads to. */
export const MESSAGES: MessageTable = {
  ...common,
  ...virtualService,
  ...destinationRule,
  ...envoyFilter,
  ...gateway,
  ...serviceEntry,
  ...sidecar,
  ...security,
  ...telemetry,
  ...targets,
  ...meshConfig,
  ...proxyConfig,
  ...extensionProviders,
  ...extensions,
};

export const MESH_CONFIG = 'istio.mesh.v1alpha1.MeshConfig';

/** Istio's kinds with the message of their `spec`, and the mesh configuration. */
export function istioRoots(): readonly (readonly [kind: string, message: string])[] {
  const kinds = (Object.keys(KINDS) as (keyof KindSpecs)[]).flatMap((kind) => {
    const { message } = KINDS[kind];
    return message === undefined ? [] : [[kind, message] as const];
  });
  return [...kinds, ['MeshConfig', MESH_CONFIG]];
}

/** The messages that a field's value is made of, or undefined for scalars and free-form values. */
export function messageBelow(message: string, field: string): string | undefined {
  const type = schema().messages[message]?.[field]?.t;
  return type !== undefined && type in schema().messages ? type : undefined;
}

/** Messages that `root` leads to through fields that some engine supports, itself first, each once, in reading order. */
export function messagesOf(root: string): readonly string[] {
  const found = new Set<string>();
  const visit = (message: string): void => {
    if (found.has(message)) return;
    found.add(message);
    for (const [field, support] of Object.entries(MESSAGES[message] ?? {})) {
      const below = supportedBySome(support) ? messageBelow(message, field) : undefined;
      if (below !== undefined) visit(below);
    }
  };
  visit(root);
  return [...found];
}

/** What happens with `engine` to `value` of a field that is treated as `support` says. */
export function effective(support: Support, value: unknown, engine: Engine): Outcome {
  const outcome = on(support, engine);
  if (outcome.state !== 'supported') return outcome;
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
    const text = String(value);
    if (outcome.values !== undefined && Object.hasOwn(outcome.values, text))
      return on(outcome.values[text] as Support, engine);
    if (typeof value === 'string') {
      const special = outcome.texts?.find(({ pattern }) => pattern.test(text));
      if (special !== undefined) return on(special.support, engine);
    }
  }
  return outcome;
}
