import type { NodeConfig, Refusal } from '@mizzen/control-plane';
import type { Origins, XdsResources } from '@mizzen/translator';
import { TypeUrl } from '@mizzen/xds';
import { quotedIn } from './quoted.ts';
import { firstDifference } from './refusals.ts';
import type { Evidence } from './refusals.ts';

/** True when every resource is the same object. */
export function sameResources(a: XdsResources, b: XdsResources): boolean {
  return same(a.endpoints, b.endpoints) && sameShape(a, b);
}

/** The same of all but endpoints. */
export function sameShape(a: XdsResources, b: XdsResources): boolean {
  return (
    same(a.routes, b.routes) &&
    same(a.listeners, b.listeners) &&
    same(a.clusters, b.clusters) &&
    same(a.extensions, b.extensions)
  );
}

function same(a: readonly object[], b: readonly object[]): boolean {
  return a === b || (a.length === b.length && a.every((each, index) => each === b[index]));
}

/** What a proxy has, and what it had before something beside endpoints was another. */
export interface Configurations {
  readonly config: NodeConfig | undefined;
  readonly before: NodeConfig | undefined;
  readonly origins: Origins | undefined;
}

/** What helps to find the line that a refusal is about. */
export function evidenceOf(
  { config, before, origins }: Configurations,
  { typeUrl, resource, message }: Refusal,
): Evidence {
  const [was, is] = [before, config].map((each) => each && findResource(each, typeUrl, resource));
  const changed = was === undefined || is === undefined ? undefined : firstDifference(was, is);
  return { origins, changed, quoted: quotedIn(is, message) };
}

function findResource(config: NodeConfig, typeUrl: string, name: string): object | undefined {
  switch (typeUrl) {
    case TypeUrl.listener:
      return config.listeners.find((each) => each.name === name);
    case TypeUrl.route:
      return config.routes.find((each) => each.name === name);
    case TypeUrl.cluster:
      return config.clusters.find((each) => each.name === name);
    case TypeUrl.extension:
      return config.extensions.find((each) => each.name === name);
    default:
      return undefined;
  }
}
