export type * from './types.ts';
export { ResponseFlag } from './types.ts';
export type { Clock, Deps, Net, Random, Timer } from './deps.ts';
export type { FromProxy, NodeCounts, ToProxy } from './process/protocol.ts';
export type { Compiled, CompileDeps } from './program/types.ts';
export {
  compileCluster,
  compileEndpoints,
  compileListener,
  compileRouteConfiguration,
  compileSecret,
  route,
} from './program/index.ts';
