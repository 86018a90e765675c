import { compileCluster } from '../program/cluster/compile.ts';
import { compileEndpoints } from '../program/endpoints.ts';
import { compileListener } from '../program/listener/compile.ts';
import { compileRouteConfiguration } from '../program/route/compile.ts';
import { compileSecret } from '../program/secret.ts';

/** What compiles the resources of each type. */
export const compilers = {
  cluster: compileCluster,
  endpoint: compileEndpoints,
  listener: compileListener,
  route: compileRouteConfiguration,
  secret: compileSecret,
} as const;
