import type { Resource, networking } from '@mizzen/api';
import { byAge, concerns } from '@mizzen/model';
import { RE2JS } from 're2js';
import type { TranslationContext } from '../context.ts';
import { type Patch, type Target, patchesOf } from './patch.ts';

/** The patches that concern one proxy, in the order in which they are applied. */
export interface InForce {
  readonly patches: readonly Patch[];
  of(target: Target): readonly Patch[];
}

const NONE = create([]);

/** What is the same list for several proxies, or for the same one in two models, is the same object. */
export function inForce(context: TranslationContext): InForce {
  const filters = context.model.snapshot.list('EnvoyFilter');
  if (filters.length === 0) return NONE;
  return shared(
    ordered(context, filters).flatMap((resource) =>
      patchesOf(resource).patches.filter((patch) => fitsProxy(context, patch.match.proxy)),
    ),
  );
}

type EnvoyFilter = Resource<networking.EnvoyFilter>;

/** By priority; of the same, the mesh's before the namespace's, then the oldest first. */
function ordered({ model, proxy }: TranslationContext, filters: readonly EnvoyFilter[]): readonly EnvoyFilter[] {
  const root = (resource: EnvoyFilter): number => (resource.metadata.namespace === model.rootNamespace ? 0 : 1);
  return filters
    .filter(
      ({ metadata, spec }) =>
        (metadata.namespace === model.rootNamespace || metadata.namespace === proxy.namespace) &&
        concerns(
          { selector: { matchLabels: spec.workloadSelector?.labels }, targetRefs: spec.targetRefs },
          metadata.namespace,
          proxy.namespace,
          proxy.labels,
        ),
    )
    .sort((a, b) => (a.spec.priority ?? 0) - (b.spec.priority ?? 0) || root(a) - root(b) || byAge(a, b));
}

function fitsProxy({ node }: TranslationContext, match: networking.EnvoyFilter_ProxyMatch | undefined): boolean {
  if (match === undefined) return true;
  const { proxyVersion = '', metadata = {} } = match;
  if (proxyVersion !== '') {
    const version = node.metadata.ISTIO_VERSION ?? '';
    if (version === '' || !pattern(proxyVersion).matcher(version).find()) return false;
  }
  return Object.entries(metadata).every(([key, value]) => node.metadata[key] === value);
}

const patterns = new Map<string, RE2JS>();

function pattern(text: string): RE2JS {
  let found = patterns.get(text);
  if (found === undefined) patterns.set(text, (found = RE2JS.compile(text)));
  return found;
}

function create(patches: readonly Patch[]): InForce {
  const byTarget = new Map<Target, Patch[]>();
  for (const patch of patches) {
    const list = byTarget.get(patch.applyTo);
    if (list === undefined) byTarget.set(patch.applyTo, [patch]);
    else list.push(patch);
  }
  return { patches, of: (target) => byTarget.get(target) ?? [] };
}

const known = new WeakMap<Patch, InForce[]>();

function shared(patches: readonly Patch[]): InForce {
  const [first] = patches;
  if (first === undefined) return NONE;
  let lists = known.get(first);
  if (lists === undefined) known.set(first, (lists = []));
  let found = lists.find(
    (each) => each.patches.length === patches.length && each.patches.every((patch, index) => patch === patches[index]),
  );
  if (found === undefined) lists.push((found = create(patches)));
  return found;
}
