import { type Resource, isRecord, type networking, refOf } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import type { Origin } from '../types.ts';
import { noteValue } from './tracks.ts';
import { type Misfit, fit } from './value.ts';

type ApplyTo = networking.EnvoyFilter_ApplyTo;
type Operation = networking.EnvoyFilter_Patch_Operation;

/** What kind of message each kind of patch is about. */
export const MESSAGE_OF = {
  LISTENER: 'envoy.config.listener.v3.Listener',
  LISTENER_FILTER: 'envoy.config.listener.v3.ListenerFilter',
  FILTER_CHAIN: 'envoy.config.listener.v3.FilterChain',
  NETWORK_FILTER: 'envoy.config.listener.v3.Filter',
  HTTP_FILTER: 'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter',
  ROUTE_CONFIGURATION: 'envoy.config.route.v3.RouteConfiguration',
  VIRTUAL_HOST: 'envoy.config.route.v3.VirtualHost',
  HTTP_ROUTE: 'envoy.config.route.v3.Route',
  CLUSTER: 'envoy.config.cluster.v3.Cluster',
  EXTENSION_CONFIG: 'envoy.config.core.v3.TypedExtensionConfig',
  BOOTSTRAP: 'envoy.config.bootstrap.v3.Bootstrap',
} as const satisfies Partial<Record<ApplyTo, string>>;

export type Target = keyof typeof MESSAGE_OF;

/** One entry of an EnvoyFilter's `configPatches`, ready to be applied. */
export interface Patch {
  readonly applyTo: Target;
  readonly operation: Operation;
  readonly context: networking.EnvoyFilter_PatchContext;
  readonly match: networking.EnvoyFilter_EnvoyConfigObjectMatch;
  /** Empty for operations that need none. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Where the value was written. */
  readonly origin: Origin;
}

/** What is wrong with, or without effect in, one patch; `path` is from the resource's root. */
export interface PatchProblem {
  readonly path: Path;
  readonly kind: Misfit['kind'] | 'ineffective';
  readonly message: string;
  readonly help?: string;
}

export interface Compiled {
  readonly patches: readonly Patch[];
  readonly problems: readonly PatchProblem[];
}

const compiled = new WeakMap<object, Compiled>();

/** The patches of an EnvoyFilter that can be applied, and what is wrong with the others. */
export function patchesOf(resource: Resource<networking.EnvoyFilter>): Compiled {
  const { spec } = resource;
  let found = compiled.get(spec);
  if (found === undefined) compiled.set(spec, (found = compile(resource)));
  return found;
}

function compile(resource: Resource<networking.EnvoyFilter>): Compiled {
  const patches: Patch[] = [];
  const problems: PatchProblem[] = [];
  for (const [index, { applyTo = 'INVALID', match = {}, patch = {} }] of (
    resource.spec.configPatches ?? []
  ).entries()) {
    const at = ['spec', 'configPatches', index];
    const { operation = 'INVALID' } = patch;
    if (!isTarget(applyTo) || operation === 'INVALID') continue;
    const value = readValue(patch.value, applyTo, operation, [...at, 'patch', 'value'], problems);
    const ineffective = without(applyTo, operation, match);
    if (ineffective !== undefined) {
      problems.push({ path: [...at, 'patch', 'operation'], kind: 'ineffective', message: ineffective });
    }
    if (value === undefined) continue;
    const origin: Origin = { resource: refOf(resource), path: [...at, 'patch', 'value'] };
    noteValue(value, origin);
    const { context = 'ANY' } = match;
    patches.push({ applyTo, operation: effective(applyTo, operation), context, match, value, origin });
  }
  return { patches, problems };
}

function isTarget(applyTo: ApplyTo): applyTo is Target {
  return Object.hasOwn(MESSAGE_OF, applyTo);
}

function readValue(
  value: unknown,
  applyTo: Target,
  operation: Operation,
  path: Path,
  problems: PatchProblem[],
): Patch['value'] | undefined {
  if (!isRecord(value)) return operation === 'REMOVE' ? {} : undefined;
  const fitted = fit(value, MESSAGE_OF[applyTo]);
  for (const misfit of fitted.misfits) {
    // Only merging can tell a default from what is not there.
    if (misfit.kind === 'default' && !isMerge(operation)) continue;
    problems.push({ ...misfit, path: [...path, ...misfit.path] });
  }
  return fitted.value;
}

/** Where only adding makes sense, any kind of insertion is that. */
function effective(applyTo: Target, operation: Operation): Operation {
  const inserts = operation === 'INSERT_BEFORE' || operation === 'INSERT_AFTER' || operation === 'INSERT_FIRST';
  return inserts && !INSERTED.has(applyTo) ? 'ADD' : operation;
}

const INSERTED: ReadonlySet<Target> = new Set(['LISTENER_FILTER', 'NETWORK_FILTER', 'HTTP_FILTER', 'HTTP_ROUTE']);

export function isMerge(operation: Operation): boolean {
  return operation === 'MERGE' || operation === 'MERGE_AND_REPLACE_LIST';
}

/** Operations that do something, for those kinds of patch of which not all do. */
const OPERATIONS: Readonly<Partial<Record<Target, readonly Operation[]>>> = {
  LISTENER: ['MERGE', 'ADD', 'REMOVE'],
  FILTER_CHAIN: ['MERGE', 'ADD', 'REMOVE'],
  CLUSTER: ['MERGE', 'ADD', 'REMOVE'],
  ROUTE_CONFIGURATION: ['MERGE'],
  VIRTUAL_HOST: ['MERGE', 'ADD', 'REMOVE', 'REPLACE'],
  HTTP_ROUTE: ['MERGE', 'ADD', 'REMOVE', 'INSERT_BEFORE', 'INSERT_AFTER', 'INSERT_FIRST'],
  EXTENSION_CONFIG: ['ADD'],
  BOOTSTRAP: ['MERGE'],
};

/** Why a patch changes nothing, in words; undefined when it may. The same go unheeded in istiod. */
function without(applyTo: Target, written: Operation, match: Patch['match']): string | undefined {
  const operation = effective(applyTo, written);
  const plain = operation === 'MERGE_AND_REPLACE_LIST' ? 'MERGE' : operation;
  const able = OPERATIONS[applyTo];
  if (able !== undefined && !able.includes(plain)) {
    return `operation \`${written}\` does nothing for \`${applyTo}\``;
  }
  const needed = NAMED[applyTo];
  if (needed === undefined || needed.given(match)) return undefined;
  if (needed.operations.includes(plain)) {
    return `operation \`${written}\` does nothing for \`${applyTo}\` unless \`${needed.field}\` names one`;
  }
  return undefined;
}

interface Needed {
  readonly field: string;
  readonly operations: readonly Operation[];
  given(match: Patch['match']): boolean;
}

/** Operations on one of a list, which the match has to name. */
const NAMED: Readonly<Partial<Record<Target, Needed>>> = {
  LISTENER_FILTER: {
    field: 'match.listener.listenerFilter',
    operations: ['REMOVE', 'REPLACE', 'MERGE'],
    given: (match) => listenerFilterName(match) !== '',
  },
  NETWORK_FILTER: {
    field: 'match.listener.filterChain.filter',
    operations: ['REMOVE', 'REPLACE'],
    given: (match) => match.listener?.filterChain?.filter !== undefined,
  },
  HTTP_FILTER: {
    field: 'match.listener.filterChain.filter.subFilter',
    operations: ['REMOVE', 'REPLACE', 'MERGE'],
    given: (match) => httpFilterName(match) !== '',
  },
};

export function listenerFilterName(match: Patch['match']): string {
  return match.listener?.listenerFilter ?? '';
}

export function httpFilterName(match: Patch['match']): string {
  return match.listener?.filterChain?.filter?.subFilter?.name ?? '';
}
