import { SHORT_TYPES, type SyncStatus } from '@mizzen/control-plane';
import { tabulate } from './tabulate.ts';

/** The control plane, in the column that istioctl calls ISTIOD. */
export interface ControlPlane {
  readonly id: string;
  /** Of proxies that do not say theirs. */
  readonly version: string;
}

/** As `istioctl proxy-status` prints it; `byType`: a column for each type, as with its `--verbosity 1`. */
export function statusTable(all: readonly SyncStatus[], { id, version }: ControlPlane, byType: boolean): string {
  const shorts = SHORT_TYPES.map(([short]) => short);
  const head = byType
    ? ['NAME', 'CLUSTER', ...shorts, 'ISTIOD', 'VERSION']
    : ['NAME', 'CLUSTER', 'ISTIOD', 'VERSION', 'SUBSCRIBED TYPES'];
  const rows = all.map((status) => {
    const { types, connected } = status.mizzen;
    const start = [status.proxy, status.cluster_id ?? ''];
    const end = [id, status.istio_version ?? version];
    if (byType) return [...start, ...shorts.map((short) => STATES[types[short] ?? ''] ?? 'IGNORED'), ...end];
    const names = shorts.filter((short) => short in types);
    return [...start, ...end, connected ? `${names.length} (${names.join(',')})` : 'not connected'];
  });
  return tabulate([head, ...rows], 5);
}

/** Envoy's words for what Mizzen calls `synced` and so on. */
const STATES: Readonly<Record<string, string>> = { synced: 'SYNCED', pending: 'STALE', refused: 'ERROR' };

/** What proxies refused, why, and which line of YAML it came from; empty when nothing was. */
export function refusalsText(all: readonly SyncStatus[]): string {
  const lines = all.flatMap(({ proxy, mizzen }) =>
    mizzen.refusals.flatMap(({ type, resource, field, message, file, line }) => [
      `  ${proxy}: ${type} ${resource}: ${field === '' ? '' : `\`${field}\`: `}${message}`,
      ...(file === undefined ? [] : [`    from ${file}:${line}`]),
    ]),
  );
  return lines.length === 0
    ? ''
    : `\nRefused (what was there before stays in force, if anything was):\n${lines.join('\n')}\n`;
}

const TITLES: readonly (readonly [string, string])[] = [
  ['CDS', 'Clusters'],
  ['LDS', 'Listeners'],
  ['RDS', 'Routes'],
  ['EDS', 'Endpoints'],
];

/** Of one proxy: `Clusters Match`, or what it lacks of them, and so on. */
export function* differencesText({ proxy, mizzen }: SyncStatus): Generator<string> {
  if (!mizzen.connected) {
    yield `${proxy} is not connected\n`;
    return;
  }
  for (const [type, title] of TITLES) {
    const own = (mizzen.differences ?? []).filter((each) => each.type === type);
    if (own.length === 0) yield `${title} Match\n`;
    else {
      yield `${title} Don't Match\n`;
      for (const { resource, state, wanted } of own)
        yield `  ${resource}: ${wanted === '' ? 'should be gone, ' : ''}${state}\n`;
    }
  }
}
