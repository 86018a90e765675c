import type { Locate } from '@mizzen/api';
import type { Path, Ref } from '@mizzen/diagnostics';
import type { Origin, Origins, XdsResources } from '@mizzen/translator';
import { resourcesOf, type XdsType } from './xds-changes.ts';

/** A part of an xDS resource that comes from a resource of the files. */
export interface Becomes {
  readonly type: XdsType;
  readonly name: string;
  readonly parts: readonly {
    /** `virtualHosts[0].routes[1]`; empty for the whole. */
    readonly path: string;
    readonly value: unknown;
    /** `FILE:LINE` that it comes from. */
    readonly source: string;
  }[];
  readonly nodes: string[];
}

const TYPES = ['listener', 'route', 'cluster'] as const;
/** More parts of one resource than this are not read by anybody. */
const MOST_PARTS = 40;

/** What `ref` becomes in what each proxy is sent. Proxies that share a resource are named together. */
export function becomes(
  ref: Ref,
  proxies: Iterable<{ readonly node: string; readonly config: XdsResources; readonly origins: Origins }>,
  locate: Locate,
): Becomes[] {
  const found = new Map<object, Becomes>();
  for (const { node, config, origins } of proxies) {
    for (const type of TYPES) {
      for (const { name, value } of resourcesOf(type, config)) {
        const known = found.get(value);
        if (known !== undefined) {
          known.nodes.push(node);
          continue;
        }
        if (!origins.within(type, name, []).some((origin) => same(origin, ref))) continue;
        const parts: Becomes['parts'][number][] = [];
        collect(
          value,
          [],
          (path) => origins.find(type, name, path),
          ref,
          (path, origin, part) => {
            if (parts.length >= MOST_PARTS) return;
            const place = locate(origin.resource, origin.path);
            parts.push({
              path: pathText(path),
              value: part,
              source: place === undefined ? '' : `${place.file}:${place.line}`,
            });
          },
        );
        if (parts.length > 0) found.set(value, { type, name, parts, nodes: [node] });
      }
    }
  }
  return [...found.values()];
}

/** The outermost parts that come from it. */
function collect(
  value: unknown,
  path: Path,
  find: (path: Path) => Origin | undefined,
  ref: Ref,
  tell: (path: Path, origin: Origin, value: unknown) => void,
): void {
  const origin = find(path);
  if (origin !== undefined && same(origin, ref)) return tell(path, origin, value);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value))
    collect(part, [...path, Array.isArray(value) ? Number(key) : key], find, ref, tell);
}

function same({ resource }: Origin, { kind, namespace, name }: Ref): boolean {
  return resource.kind === kind && resource.namespace === namespace && resource.name === name;
}

function pathText(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}
