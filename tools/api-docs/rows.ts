import {
  KUBERNETES,
  MESSAGES,
  METADATA,
  istioRoots,
  ENGINES,
  messageBelow,
  messagesOf,
  on,
  supportedBySome,
} from '../../packages/api/src/support/index.ts';
import type { Exception, Support } from '../../packages/api/src/support/index.ts';
import { messageSchema } from '../../packages/api/src/schema.ts';

/** One line of a table: a field, or a value of one. */
export interface Row {
  /** From the root of the table: `http[].match[].uri`; with ` = VALUE` for a value. */
  readonly name: string;
  readonly support: Support;
  /** A message with a table of its own that says what is in the field. */
  readonly see?: string;
}

/** Messages that have a table of their own because more than one field leads to them. */
export const SHARED: readonly string[] = sharedMessages();

function sharedMessages(): string[] {
  const ways = new Map<string, number>();
  const reached = new Set(istioRoots().flatMap(([, message]) => messagesOf(message)));
  for (const message of reached) {
    for (const [field, support] of Object.entries(MESSAGES[message] ?? {})) {
      const below = supportedBySome(support) ? messageBelow(message, field) : undefined;
      if (below !== undefined) ways.set(below, (ways.get(below) ?? 0) + 1);
    }
  }
  // Messages of one field are clearer where they are used.
  const shared = [...ways].filter(([message, count]) => count > 1 && Object.keys(MESSAGES[message] ?? {}).length > 1);
  return shared.map(([message]) => message);
}

/** `istio.networking.v1alpha3.LoadBalancerSettings.SimpleLB` as people call it. */
export function shortName(message: string): string {
  return message.replace(/^istio\.\w+\.\w+\./, '');
}

/** A message's fields with all that is in them, except what has a table of its own. */
export function messageRows(message: string, prefix = ''): Row[] {
  return Object.entries(MESSAGES[message] ?? {}).flatMap(([field, support]) => {
    const schema = messageSchema(message)?.[field];
    const below = supportedBySome(support) ? messageBelow(message, field) : undefined;
    const name = `${prefix}${field}${schema?.r ? '[]' : ''}`;
    const see = below !== undefined && SHARED.includes(below) ? shortName(below) : undefined;
    const inner =
      below === undefined || see !== undefined ? [] : messageRows(below, `${name}${schema?.k ? '.*' : ''}.`);
    return [{ name, support, see }, ...values(name, support), ...inner];
  });
}

/** The same for a shape of a Kubernetes object. */
export function kubernetesRows(shape: string, prefix = ''): Row[] {
  return Object.entries(KUBERNETES[shape] ?? {}).flatMap(([field, { support, of }]) => {
    const name = `${prefix}${field}`;
    const shared = of !== undefined && (KUBERNETES_SHARED.includes(of) || GATEWAY_API_SHARED.includes(of));
    const see = shared ? of : undefined;
    const inner = of === undefined || see !== undefined ? [] : kubernetesRows(of, `${name}.`);
    return [{ name, support, see }, ...values(name, support), ...inner];
  });
}

/** Shapes of the Gateway API that have a table of their own. */
export const GATEWAY_API_SHARED: readonly string[] = [
  'HTTPRouteFilter',
  'HeaderFilter',
  'PathModifier',
  'NamedMatch',
  'BackendRef',
];

export const KUBERNETES_SHARED: readonly string[] = [
  'PodTemplate',
  'Container',
  'Probe',
  'KeyRef',
  'SourceRef',
  'Exec',
];

export function metadataRows(): Row[] {
  return METADATA.flatMap(([name, support]) => [{ name, support }, ...values(name, support)]);
}

function values(name: string, support: Support): Row[] {
  const found = new Map<string, Exception>();
  for (const engine of ENGINES) {
    const outcome = on(support, engine);
    if (outcome.state !== 'supported') continue;
    for (const [value, other] of Object.entries(outcome.values ?? {})) found.set(value, other);
    for (const { like, support: other } of outcome.texts ?? []) found.set(like, other);
  }
  return [...found].map(([value, other]) => ({ name: `${name} = ${value}`, support: other }));
}
