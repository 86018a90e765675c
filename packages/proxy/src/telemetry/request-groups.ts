import { Histogram } from './histogram.ts';
import { ResponseCodes } from './response-codes.ts';

/** Counters of requests that belong together: those of a virtual cluster, or of routes with one stat prefix. */
export interface RequestGroup {
  upstream_rq_total: number;
  upstream_rq_timeout: number;
  upstream_rq_retry: number;
  upstream_rq_retry_limit_exceeded: number;
  upstream_rq_retry_overflow: number;
  upstream_rq_retry_success: number;
  readonly codes: ResponseCodes;
  readonly upstream_rq_time: Histogram;
}

export function virtualClusterGroup(virtualHost: string, name: string): string {
  return `vhost.${virtualHost}.vcluster.${name === '' ? 'other' : name}`;
}
export function routeGroup(virtualHost: string, statPrefix: string): string {
  return `vhost.${virtualHost}.route.${statPrefix}`;
}

/** Groups by full name, e.g. `vhost.shop.vcluster.orders`. The same name gives the same object. */
export class RequestGroups {
  readonly #groups = new Map<string, RequestGroup>();

  get(name: string): RequestGroup {
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, (group = newGroup()));
    return group;
  }

  all(): Iterable<readonly [string, RequestGroup]> {
    return this.#groups;
  }
}

function newGroup(): RequestGroup {
  return {
    upstream_rq_total: 0,
    upstream_rq_timeout: 0,
    upstream_rq_retry: 0,
    upstream_rq_retry_limit_exceeded: 0,
    upstream_rq_retry_overflow: 0,
    upstream_rq_retry_success: 0,
    codes: new ResponseCodes(),
    upstream_rq_time: new Histogram(),
  };
}
