/** xDS resources become programs here: pure functions from Envoy's JSON to closures and plain data. */
export { checkFields, nameOf } from './read-resource.ts';
export { compileCluster } from './cluster/compile.ts';
export { compileEndpoints } from './endpoints.ts';
export { compileListener } from './listener/compile.ts';
export { compileRouteConfiguration } from './route/compile.ts';
export { compileSecret } from './secret.ts';
export { route } from './route/route.ts';
export type * from './types.ts';
