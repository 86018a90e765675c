import { goJson } from './go-text.ts';
import { canonicalAny } from './proto-json.ts';
import { type Dump, DumpError, isObject, list, message, type Raw, text } from './read-dump.ts';
import { unifiedDiff } from './unified-diff.ts';

/** One kind of resource in a dump: how the list is called there, and the resource in each entry. */
interface Kind {
  readonly title: 'Clusters' | 'Listeners' | 'Routes';
  readonly part: string;
  readonly field: string;
  readonly resource: (entry: Raw) => unknown;
}

const KINDS: readonly Kind[] = [
  {
    title: 'Clusters',
    part: 'ClustersConfigDump',
    field: 'dynamicActiveClusters',
    resource: ({ cluster }) => cluster,
  },
  {
    title: 'Listeners',
    part: 'ListenersConfigDump',
    field: 'dynamicListeners',
    resource: (entry) => message(entry, 'activeState')['listener'],
  },
  {
    title: 'Routes',
    part: 'RoutesConfigDump',
    field: 'dynamicRouteConfigs',
    resource: ({ routeConfig }) => routeConfig,
  },
];

/**
 * What differs between what a control plane sends and what an Envoy has: `Clusters Match`, or a diff of their JSON, and
 * so for listeners and routes. Versions and times do not count.
 */
export function* comparison(sent: Dump, own: Dump): Generator<string> {
  for (const kind of KINDS) {
    const diff = unifiedDiff(textOf(sent, kind), textOf(own, kind), `Istiod ${kind.title}`, `Envoy ${kind.title}`);
    const verb = kind.title === 'Routes' ? lastLoaded(own) : '';
    if (diff === '') yield `${kind.title} Match${verb}\n`;
    else yield `${kind.title} Don't Match${verb}\n${diff}\n`;
  }
}

function textOf(dump: Dump, { part, field, resource }: Kind): string {
  try {
    const resources = list(dump.part(part), field).map(resource).filter(isObject);
    const byName = resources.toSorted((a, b) => (text(a, 'name') < text(b, 'name') ? -1 : 1));
    return goJson({ [field]: byName.map(canonicalAny) }, false);
  } catch (error) {
    if (!(error instanceof DumpError)) throw error;
    return error.message;
  }
}

/** When the newest route configuration came, as Envoy says. */
function lastLoaded(dump: Dump): string {
  const times = list(dump.find('RoutesConfigDump'), 'dynamicRouteConfigs')
    .map((each) => Date.parse(text(each, 'lastUpdated')))
    .filter((time) => !Number.isNaN(time));
  return times.length === 0 ? '' : ` (RDS last loaded at ${new Date(Math.max(...times)).toUTCString()})`;
}
