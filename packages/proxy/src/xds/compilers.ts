import { compileCluster } from '../program/cluster/compile.ts';
import { compileEndpoints } from '../program/endpoints.ts';
import { compileListener } from '../program/listener/compile.ts';
import { compileRouteConfiguration } from '../program/route/compile.ts';
import { compileSecret } from '../program/secret.ts';
import type { Compiled, CompileDeps } from '../program/types.ts';

type Compile<T> = (resource: unknown, deps: CompileDeps) => Compiled<T>;

/**
 * What makes programs of the resources of each type. Clusters, endpoints and routes mean the same to every proxy, so the
 * same resource object gives the same program; listeners and secrets belong to one.
 */
export const compilers = {
  cluster: once(compileCluster),
  endpoint: once(compileEndpoints),
  listener: compileListener,
  route: once(compileRouteConfiguration, hasTokenBucket),
  secret: compileSecret,
} as const;

function once<T>(compile: Compile<T>, differs: (resource: object) => boolean = () => false): Compile<T> {
  const compiled = new WeakMap<object, Compiled<T>>();
  return (resource, deps) => {
    if (typeof resource !== 'object' || resource === null) return compile(resource, deps);
    let result = compiled.get(resource);
    if (result === undefined) {
      result = compile(resource, deps);
      if (!differs(resource)) compiled.set(resource, result);
    }
    return result;
  };
}

/** The one thing that filters keep with their settings on a route, and that every proxy has to itself. */
function hasTokenBucket(resource: object): boolean {
  return JSON.stringify(resource).includes('.local_ratelimit.');
}
