import { scrapeTargets } from '../../api/scrape-targets.ts';
import type { ControlState } from '../../control/control.ts';
import type { MetricsOrigin } from './exporter.ts';

const TIMEOUT = 10_000;
/** Bytes of one page; what is longer is not read to its end. */
export const LONGEST = 32 * 1024 * 1024;

/** All that there is to report of a mesh: what the control plane and the workloads say, and every pod. */
export function originsOf(
  state: ControlState,
  pages: Readonly<Record<string, { text(): string }>>,
): readonly MetricsOrigin[] {
  const own = Object.entries(pages).map(([page, metrics]) => ({
    resource: { 'service.name': page === '/metrics' ? 'istiod.istio-system' : 'workloads.istio-system' },
    read: () => Promise.resolve(metrics.text()),
  }));
  const pods = scrapeTargets(state).flatMap(({ targets, labels }) =>
    targets.map((target) => ({
      resource: resourceOf(labels),
      read: () => readPage(target, labels['__metrics_path__']),
    })),
  );
  return [...own, ...pods];
}

/** Services go by the names that they have in traces. */
function resourceOf(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { namespace = '', pod = '', workload = '', app = workload, version } = labels;
  return {
    'service.name': `${app}.${namespace}`,
    'service.instance.id': pod,
    ...(version === undefined ? {} : { 'service.version': version }),
    'k8s.namespace.name': namespace,
    'k8s.pod.name': pod,
  };
}

/** @throws Error, also when there is more than anybody would say. */
export async function readPage(target: string, path = '/stats/prometheus'): Promise<string> {
  const answer = await fetch(`http://${target}${path}`, {
    headers: { accept: 'text/plain;version=0.0.4' },
    signal: AbortSignal.timeout(TIMEOUT),
  });
  if (!answer.ok) throw new Error(`${target} answers ${answer.status}`);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body ?? []) {
    size += part.length;
    if (size > LONGEST) throw new Error(`${target} answers with more than ${LONGEST} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
