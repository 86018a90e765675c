import { type Clock, type HeldCertificate, Registry, type Readings } from '@mizzen/control-plane';
import type { DesiredWorkload, PodStatus, ProxyProcess, WorkloadStatus } from '../protocol.ts';
import { addCertificateExpiry, type ProxyCertificate } from './certificate-expiry.ts';
import { readGroups, type GroupUsage } from './process-groups.ts';

/** What there is to report about. */
export interface WorkloadsSource {
  readonly pods: readonly PodStatus[];
  readonly desired: readonly DesiredWorkload[];
  readonly statuses: readonly WorkloadStatus[];
  /** Processes that carry the traffic of pods. */
  readonly proxies: readonly ProxyProcess[];
  readonly certificates: readonly HeldCertificate[];
}

interface Group {
  readonly labels: readonly [namespace: string, pod: string, container: string, workload: string];
  readonly pid: number;
  readonly usage: GroupUsage;
}

const CONTAINER = ['namespace', 'pod', 'container', 'workload'];
/** The name that the proxy's container has in a cluster. */
const PROXY = 'istio-proxy';

/**
 * What containers use and how pods and workloads are, by the names that cAdvisor and kube-state-metrics have. A container
 * is a process group here; its label `workload` is Mizzen's own.
 */
export class WorkloadsMetrics {
  readonly #source: () => WorkloadsSource;
  readonly #groups: typeof readGroups;
  /** As many as there are pods, which files and people decide. */
  readonly #registry = new Registry(Infinity);
  /** What each group was seen to have used: processes that nobody waited for take what they used with them. */
  #used = new Map<number, number>();
  #seen: readonly Group[] = [];

  constructor(source: () => WorkloadsSource, clock: Pick<Clock, 'wall'>, groups = readGroups) {
    this.#source = source;
    this.#groups = groups;
    this.#addUsage();
    this.#addPods();
    this.#addWorkloads();
    this.#addCertificates(clock);
  }

  text(): string {
    this.#seen = this.#look();
    return this.#registry.text();
  }

  #look(): readonly Group[] {
    const { pods, proxies } = this.#source();
    const known: Omit<Group, 'usage'>[] = pods.flatMap((pod) =>
      (pod.containers ?? []).flatMap(({ name, pid }) =>
        pid === undefined ? [] : [{ pid, labels: [pod.namespace, pod.name, name, pod.owner.name] as const }],
      ),
    );
    for (const { pid, node } of proxies) {
      const pod = pods.find((each) => each.node !== undefined && each.node === node);
      const labels =
        pod === undefined
          ? (['istio-system', 'data-plane', PROXY, 'data-plane'] as const)
          : ([pod.namespace, pod.name, PROXY, pod.owner.name] as const);
      if (node === undefined || pod !== undefined) known.push({ pid, labels });
    }
    const found = this.#groups(new Set(known.map(({ pid }) => pid)));
    const before = this.#used;
    this.#used = new Map();
    return known.flatMap((group) => {
      const usage = found?.get(group.pid);
      if (usage === undefined) return [];
      const cpuSeconds = Math.max(usage.cpuSeconds, before.get(group.pid) ?? 0);
      this.#used.set(group.pid, cpuSeconds);
      return [{ ...group, usage: { ...usage, cpuSeconds } }];
    });
  }

  #addUsage(): void {
    const of = (read: (usage: GroupUsage) => number | undefined) => (): Readings =>
      this.#seen.flatMap(({ labels, usage }) => {
        const value = read(usage);
        return value === undefined ? [] : [[labels, value] as const];
      });
    const about = (name: string, help: string): { name: string; help: string; labels: string[] } => ({
      name: `container_${name}`,
      help,
      labels: CONTAINER,
    });
    const { reading, gauge } = bound(this.#registry);
    reading(
      about('cpu_usage_seconds_total', 'Seconds of processor time used.'),
      of(({ cpuSeconds }) => cpuSeconds),
    );
    const memory = of(({ residentBytes }) => residentBytes);
    gauge(about('memory_rss', 'Bytes of memory in use; what processes share counts for each of them.'), memory);
    gauge(about('memory_working_set_bytes', 'Bytes of memory in use, as container_memory_rss.'), memory);
    gauge(
      about('processes', 'Processes.'),
      of(({ processes }) => processes),
    );
    gauge(
      about('threads', 'Threads.'),
      of(({ threads }) => threads),
    );
    gauge(
      about('file_descriptors', 'Open file descriptors.'),
      of(({ fileDescriptors }) => fileDescriptors),
    );
  }

  #addPods(): void {
    const { reading, gauge } = bound(this.#registry);
    const containers = (read: (container: NonNullable<PodStatus['containers']>[number]) => number) => (): Readings =>
      this.#source().pods.flatMap((pod) =>
        (pod.containers ?? []).map(
          (each) => [[pod.namespace, pod.name, each.name, pod.owner.name], read(each)] as const,
        ),
      );
    const restarts = 'kube_pod_container_status_restarts_total';
    reading(
      { name: restarts, help: 'How often the container was started again.', labels: CONTAINER },
      containers((each) => each.restarts),
    );
    gauge(
      { name: 'kube_pod_container_status_ready', help: 'Whether the container is ready.', labels: CONTAINER },
      containers(({ ready }) => (ready ? 1 : 0)),
    );
    const pod = ['namespace', 'pod'];
    gauge({ name: 'kube_pod_status_ready', help: 'Whether the pod is ready.', labels: [...pod, 'condition'] }, () =>
      this.#source().pods.flatMap(({ namespace, name, ready }) => [
        [[namespace, name, 'true'], ready ? 1 : 0] as const,
        [[namespace, name, 'false'], ready ? 0 : 1] as const,
      ]),
    );
    gauge(
      { name: 'kube_pod_owner', help: 'What the pod belongs to.', labels: [...pod, 'owner_kind', 'owner_name'] },
      () =>
        this.#source().pods.map(
          ({ namespace, name, owner }) => [[namespace, name, owner.kind, owner.name], 1] as const,
        ),
    );
  }

  #addCertificates(clock: Pick<Clock, 'wall'>): void {
    const held = (): ProxyCertificate[] => {
      const { pods, certificates } = this.#source();
      return certificates.flatMap(({ node, chain }) => {
        const pod = pods.find((each) => each.node === node);
        if (pod?.engine !== 'envoy' || chain === undefined) return [];
        return [{ namespace: pod.namespace, pod: pod.name, workload: pod.owner.name, chain }];
      });
    };
    addCertificateExpiry(this.#registry, held, clock);
  }

  #addWorkloads(): void {
    const { gauge } = bound(this.#registry);
    const of = (kind: string, read: (workload: DesiredWorkload, status?: WorkloadStatus) => number) => (): Readings => {
      const { desired, statuses } = this.#source();
      return desired
        .filter(({ owner }) => owner.kind === kind)
        .map((workload) => {
          const { namespace, name } = workload.owner;
          const status = statuses.find(
            ({ owner }) => owner.kind === kind && owner.namespace === namespace && owner.name === name,
          );
          return [[namespace, name], read(workload, status)] as const;
        });
    };
    for (const [kind, wanted, ready] of [
      ['Deployment', 'kube_deployment_spec_replicas', 'kube_deployment_status_replicas_ready'],
      ['StatefulSet', 'kube_statefulset_replicas', 'kube_statefulset_status_replicas_ready'],
    ] as const) {
      const labels = ['namespace', kind.toLowerCase()];
      gauge(
        { name: wanted, help: 'Replicas that are wanted.', labels },
        of(kind, ({ replicas }, status) => status?.replicas ?? replicas),
      );
      gauge(
        { name: ready, help: 'Replicas that are ready.', labels },
        of(kind, (_, status) => status?.ready ?? 0),
      );
    }
  }
}

function bound(registry: Registry): Pick<Registry, 'reading' | 'gauge'> {
  return {
    reading: (about, read) => registry.reading(about, read),
    gauge: (about, read) => registry.gauge(about, read),
  };
}
