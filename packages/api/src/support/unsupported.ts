import type { Diagnostic } from '@mizzen/diagnostics';
import { didYouMean } from '@mizzen/diagnostics';
import { isRecord } from '../normalize.ts';
import { KINDS, kindKey } from '../kind-table.ts';
import type { KindSpecs } from '../kinds.ts';
import { refOf } from '../resource.ts';
import type { Resource } from '../resource.ts';
import {
  PROXY_CONFIG_ANNOTATION,
  PROXY_CONFIG_MESSAGE,
  annotationsOfPods,
  parseProxyConfig,
} from '../mesh/annotation.ts';
import { NOT_YET } from '../validation/report.ts';
import type { Problem } from '../validation/report.ts';
import { absent } from './absent.ts';
import { MESH_CONFIG, KUBERNETES_ROOTS, WHOLE_KINDS } from './index.ts';
import { on } from './types.ts';
import type { Engine, NotYet } from './types.ts';
import { walkKubernetes, walkMessage, walkMetadata } from './walk.ts';
import type { Findings, Found } from './walk.ts';

const NO_EFFECT_HERE = 'MZ1206';
const UNKNOWN = 'MZ1207';

/**
 * What of a valid resource does not do here, with `engine`, what it does in a cluster: a warning for each field that is not supported
 * yet or not known (one per field, at its first place), with its path; `info` for a resource of a kind that has no
 * effect on one machine. Fields without effect are `mootFields`. A mesh configuration is checked where it is read.
 */
export function unsupportedFields(resource: Resource, engine: Engine = 'mizzen'): Diagnostic[] {
  const ref = refOf(resource);
  const support = WHOLE_KINDS[kindKey(resource)];
  const whole = support && on(support, engine);
  if (whole !== undefined && whole.state !== 'supported') {
    const path = ['metadata', 'name'];
    if (whole.state === 'not yet') return [{ ...notYet(resource.kind, whole, path), ref }];
    const message = `${resource.kind} \`${resource.metadata.name}\` has no effect on one machine: ${whole.reason}`;
    return [{ code: NO_EFFECT_HERE, severity: 'info', message, ref, path }];
  }
  return [...problems(findings(resource, engine), resource), ...absent(resource)].map((problem) => ({
    ...problem,
    ref,
  }));
}

/** The same for a mesh configuration; paths are from its root. */
export function unsupportedMeshFields(config: unknown, engine: Engine = 'mizzen'): Problem[] {
  const out: Findings = { engine, found: [], unknown: [] };
  walkMessage(config, MESH_CONFIG, [], out);
  return problems(out);
}

/** Names of the fields in one resource that are of no effect here although one might expect some. */
export function surprisingFields(resource: Resource, engine: Engine = 'mizzen'): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  for (const { support, name } of findings(resource, engine).found) {
    if (support.state === 'no effect' && support.surprising === true) out.set(name, support.reason);
  }
  return out;
}

/** One remark for all fields of no effect in all resources, or none. */
export function mootFields(resources: Iterable<readonly [Resource, ReadonlyMap<string, string>]>): Diagnostic[] {
  const byField = new Map<string, { reason: string; names: string[] }>();
  for (const [resource, fields] of resources) {
    for (const [field, reason] of fields) {
      const entry = byField.get(field) ?? { reason, names: [] };
      entry.names.push(`${resource.kind} \`${resource.metadata.name}\``);
      byField.set(field, entry);
    }
  }
  if (byField.size === 0) return [];
  const parts = [...byField].map(([field, { reason, names }]) => {
    const more = names.length > 1 ? ` and ${names.length - 1} more` : '';
    return `\`${field}\` of ${names[0]}${more} (${reason})`;
  });
  const message = `without effect on one machine: ${parts.join('; ')}`;
  return [{ code: NO_EFFECT_HERE, severity: 'info', message }];
}

const known = new WeakMap<Resource, Findings>();

function findings(resource: Resource, engine: Engine): Findings {
  let out = known.get(resource);
  if (out?.engine !== engine) known.set(resource, (out = find(resource, engine)));
  return out;
}

function find(resource: Resource, engine: Engine): Findings {
  const out: Findings = { engine, found: [], unknown: [] };
  const { spec, body } = resource;
  const kind = kindKey(resource);
  const { message } = KINDS[kind as keyof KindSpecs];
  walkMetadata(body.metadata, ['metadata'], out);
  if (message !== undefined) walkMessage(spec, message, ['spec'], out);
  walkProxyConfigs(resource, out);
  const root = KUBERNETES_ROOTS[kind];
  if (root === undefined) return out;
  walkKubernetes(spec, root, ['spec'], out);
  if (isRecord(spec) && isRecord(spec.template))
    walkMetadata(spec.template.metadata, ['spec', 'template', 'metadata'], out);
  return out;
}

/** What pods say in an annotation of their own proxy, at the place of the annotation. */
function walkProxyConfigs({ kind, body, spec }: Resource, out: Findings): void {
  for (const { annotations, path } of annotationsOfPods(kind, body, spec)) {
    const text = annotations[PROXY_CONFIG_ANNOTATION];
    if (text === undefined) continue;
    const inner: Findings = { engine: out.engine, found: [], unknown: [] };
    walkMessage(parseProxyConfig(text).config, PROXY_CONFIG_MESSAGE, [], inner);
    out.found.push(...inner.found.map((each) => ({ ...each, path: [...path, PROXY_CONFIG_ANNOTATION] })));
  }
}

function problems({ found, unknown }: Findings, resource?: Resource): Problem[] {
  const out: Problem[] = [];
  const groups = new Map<string, Found[]>();
  for (const each of found) {
    if (each.support.state !== 'not yet') continue;
    const key = `${each.name}=${each.value ?? ''} ${each.support.detail}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  for (const [first, ...others] of groups.values()) {
    if (first === undefined) continue;
    const what = first.value === undefined ? first.name : `${first.name}: ${first.value}`;
    out.push(notYet(what, first.support as NotYet, first.path, others.length, first.value === undefined));
  }
  for (const { path, name, known: fields } of unknown) {
    const guess = didYouMean(name, fields);
    const help = guess === undefined ? 'it is left out' : `it is left out; did you mean \`${guess}\`?`;
    const message = `\`${name}\` is no field of a ${resource?.kind ?? 'mesh configuration'} that Mizzen knows`;
    out.push({ code: UNKNOWN, severity: 'warning', message, path, at: 'key', help });
  }
  return out;
}

function notYet(what: string, support: NotYet, path: Problem['path'], more = 0, atKey = false): Problem {
  const again = more === 0 ? '' : ` (and in ${more} more ${more === 1 ? 'place' : 'places'} of this resource)`;
  return {
    code: NOT_YET,
    severity: 'warning',
    message: `\`${what}\` is not supported yet: ${support.detail}${again}`,
    path,
    help: support.help,
    ...(atKey ? { at: 'key' } : {}),
  };
}
