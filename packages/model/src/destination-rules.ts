import { refOf, type Resource, type Snapshot, type networking } from '@mizzen/api';
import type { Ref } from '@mizzen/diagnostics';
import { mostSpecific } from './hosts.ts';
import { type Labels, labelsKey } from './labels.ts';
import { byAge } from './order.ts';
import type { MergedDestinationRule, Service } from './types.ts';
import { type ExportTo, exportedTo, isVisible } from './visibility.ts';

/** Rules of one host and namespace: at most one without a workloadSelector, and one per distinct selector. */
interface Rule {
  readonly namespace: string;
  readonly exportTo: ExportTo;
  spec: networking.DestinationRule;
  readonly from: Resource<networking.DestinationRule>[];
  readonly subsetOrigin: Map<string, { readonly resource: Ref; readonly index: number }>;
}
type ByHost = Map<string, Rule[]>;

/** DestinationRules by namespace and host, merged where several speak of the same host. */
export class DestinationRuleIndex {
  readonly #root: string;
  /** True when some rule is only for workloads with certain labels. */
  readonly selective: boolean;
  /** Rules that count for proxies of the same namespace. */
  readonly #local = new Map<string, ByHost>();
  /** Rules that may count for proxies of other namespaces. */
  readonly #exported = new Map<string, ByHost>();

  constructor(snapshot: Snapshot, rootNamespace: string, resolveHost: (host: string, namespace: string) => string) {
    this.#root = rootNamespace;
    this.selective = snapshot.list('DestinationRule').some(({ spec }) => spec.workloadSelector !== undefined);
    for (const resource of [...snapshot.list('DestinationRule')].sort(byAge)) {
      const { namespace } = resource.metadata;
      const host = resolveHost(resource.spec.host ?? '', namespace);
      const exportTo = exportedTo(resource.spec.exportTo, snapshot.mesh.defaultDestinationRuleExportTo, namespace);
      if (isVisible(exportTo, namespace)) add(this.#local, namespace, host, resource, exportTo);
      if (exportTo.length > 1 || (exportTo.length === 1 && exportTo[0] !== namespace)) {
        add(this.#exported, namespace, host, resource, exportTo);
      }
    }
  }

  /**
   * The rules for a service as a proxy sees them: its own namespace's first (not for proxies of the root namespace,
   * unless private), then those the service's namespace exports, then those the root namespace exports.
   */
  find(proxyNamespace: string, service: Pick<Service, 'hostname' | 'namespace'>): readonly Rule[] {
    const local = this.#local.get(proxyNamespace);
    if (local !== undefined) {
      const rules = mostSpecific(service.hostname, local);
      const counts = rules?.filter((rule) => proxyNamespace !== this.#root || isPrivate(rule));
      if (counts !== undefined && counts.length > 0) return counts;
    }
    return (
      this.#exportedBy(service.namespace, service.hostname, proxyNamespace) ??
      this.#exportedBy(this.#root, service.hostname, proxyNamespace) ??
      []
    );
  }

  #exportedBy(namespace: string, hostname: string, proxyNamespace: string): readonly Rule[] | undefined {
    const exported = this.#exported.get(namespace);
    if (exported === undefined) return undefined;
    const rules = mostSpecific(hostname, exported)?.filter((rule) => isVisible(rule.exportTo, proxyNamespace));
    return rules === undefined || rules.length === 0 ? undefined : rules;
  }
}

function isPrivate(rule: Rule): boolean {
  return rule.exportTo.length === 1 && rule.exportTo[0] === rule.namespace;
}

/** The rule for a workload with these labels: one whose selector fits, else the one without. */
export function chooseRule(
  rules: readonly Rule[],
  scopeNamespace: string,
  labels: Labels,
  direction: 'inbound' | 'outbound',
): MergedDestinationRule | undefined {
  let general: Rule | undefined;
  for (const rule of rules) {
    const selector = rule.spec.workloadSelector?.matchLabels;
    if (rule.spec.workloadSelector === undefined) {
      general ??= rule;
      continue;
    }
    if (direction === 'inbound' || rule.namespace !== scopeNamespace) continue;
    if (selector !== undefined && Object.entries(selector).every(([key, value]) => labels[key] === value)) return rule;
  }
  return general;
}

function add(
  index: Map<string, ByHost>,
  namespace: string,
  host: string,
  resource: Resource<networking.DestinationRule>,
  exportTo: ExportTo,
): void {
  let byHost = index.get(namespace);
  if (byHost === undefined) index.set(namespace, (byHost = new Map()));
  let rules = byHost.get(host);
  if (rules === undefined) byHost.set(host, (rules = []));
  const selector = selectorKey(resource.spec);
  const same = rules.find((rule) => selectorKey(rule.spec) === selector);
  if (same === undefined) {
    const rule: Rule = { namespace, exportTo, spec: resource.spec, from: [resource], subsetOrigin: new Map() };
    noteSubsets(rule, resource);
    rules.push(rule);
    return;
  }
  mergeInto(same, resource);
}

function selectorKey(spec: networking.DestinationRule): string {
  if (spec.workloadSelector === undefined) return '';
  return `selects ${labelsKey(spec.workloadSelector.matchLabels)}`;
}

/** The older rule keeps its traffic policy and its subsets; the younger adds subsets of other names. */
function mergeInto(rule: Rule, resource: Resource<networking.DestinationRule>): void {
  const added = (resource.spec.subsets ?? []).filter((subset) => !rule.subsetOrigin.has(subset.name ?? ''));
  rule.spec = {
    ...rule.spec,
    subsets: [...(rule.spec.subsets ?? []), ...added],
    trafficPolicy: rule.spec.trafficPolicy ?? resource.spec.trafficPolicy,
  };
  rule.from.push(resource);
  noteSubsets(rule, resource);
}

function noteSubsets(rule: Rule, resource: Resource<networking.DestinationRule>): void {
  for (const [index, subset] of (resource.spec.subsets ?? []).entries()) {
    const name = subset.name ?? '';
    if (!rule.subsetOrigin.has(name)) rule.subsetOrigin.set(name, { resource: refOf(resource), index });
  }
}
