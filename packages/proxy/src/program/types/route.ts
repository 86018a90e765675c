import type { Random } from '../../deps.ts';
import type { RequestHead, StreamInfo } from '../../types/request.ts';
import type { RouteDecision } from '../../types/route.ts';
import type { Trace } from '../../types/trace.ts';

/** A compiled route configuration. Its insides are program/route's; `route()` (program/route/route.ts) reads it. */
export interface RouteConfigProgram {
  readonly name: string;
  /** Some route switches filters off. */
  readonly switchesFilters: boolean;
  readonly virtualHostNames: readonly string[];
  /** Every cluster a route names, for warnings and warming. */
  readonly clusterNames: readonly string[];
  /** Names under which requests are counted: virtual clusters, and stat prefixes of routes. */
  readonly requestGroups: readonly string[];
  /** Headers never sent from outside (`internalOnlyHeaders`), removed on the way up and down. */
  readonly internalOnlyHeaders: readonly string[];
  /** See route(). */
  readonly find: (request: RequestHead, info: StreamInfo, random: Random, trace: Trace | undefined) => RouteDecision;
}
