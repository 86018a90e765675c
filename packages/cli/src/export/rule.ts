/** Rules as Prometheus' rule files have them. */

export interface Recording {
  readonly record: string;
  readonly expr: string;
}
export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: 'critical' | 'warning' };
  readonly annotations: { readonly summary: string; readonly description: string };
}
export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly (Recording | Alert)[] }[];
}

/** What the exported configuration calls what it scrapes: pods, the control plane, and what workloads use. */
export const JOBS = { pods: 'mizzen', controlPlane: 'mizzen-control-plane', workloads: 'mizzen-workloads' } as const;

/** How often all of it is scraped. */
export const SCRAPE_INTERVAL = '5s';

/** Containers of applications: what proxies use is no sign of what the application does. */
export const APPLICATION = 'container!="istio-proxy"';
