import { compileCluster } from '../program/cluster/compile.ts';
import { compileEndpoints } from '../program/endpoints.ts';
import { compileListener } from '../program/listener/compile.ts';
import { compileRouteConfiguration } from '../program/route/compile.ts';
import { compileSecret } from '../program/secret.ts';
import type { Compiled, CompileDeps } from '../program/types.ts';
import type { Nack } from '../types.ts';
import { unsupportedInCluster, unsupportedInListener } from './unsupported.ts';

type Compile<T> = (resource: unknown, deps: CompileDeps) => Compiled<T>;

/** What makes programs of the resources of each type. */
export const compilers = {
  cluster: checked(compileCluster, unsupportedInCluster),
  endpoint: compileEndpoints,
  listener: checked(compileListener, unsupportedInListener),
  route: compileRouteConfiguration,
  secret: compileSecret,
} as const;

function checked<T>(compile: Compile<T>, unsupported: (program: T) => readonly Nack[]): Compile<T> {
  return (resource, deps) => {
    const compiled = compile(resource, deps);
    if (compiled.nacks !== undefined) return compiled;
    const nacks = unsupported(compiled.program);
    return nacks.length > 0 ? { nacks } : compiled;
  };
}
