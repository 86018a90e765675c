import { isRecord } from '@mizzen/api';
import { GrpcStatus, Refused } from '@mizzen/control-plane/grpc/index.ts';
import type { ProxyNode } from '@mizzen/control-plane/grpc/index.ts';
import type { Node, NodeMetadata } from '@mizzen/translator';

const isText = (value: unknown): boolean => typeof value === 'string';
const isTexts = (value: unknown): boolean => isRecord(value) && Object.values(value).every(isText);

/** Metadata that translation reads, and what each must be. */
const FIELDS: Readonly<Record<string, readonly [what: string, check: (value: unknown) => boolean]>> = {
  NAME: ['a text', isText],
  NAMESPACE: ['a text', isText],
  SERVICE_ACCOUNT: ['a text', isText],
  LABELS: ['a map of texts', isTexts],
  ANNOTATIONS: ['a map of texts', isTexts],
  CLUSTER_ID: ['a text', isText],
  INSTANCE_IPS: ['a text', isText],
  NODE_NAME: ['a text', isText],
  NETWORK: ['a text', isText],
  ISTIO_VERSION: ['a text', isText],
  INTERCEPTION_MODE: [
    '`REDIRECT`, `TPROXY` or `NONE`',
    (value) => ['REDIRECT', 'TPROXY', 'NONE'].includes(String(value)),
  ],
  PROXY_CONFIG: ['an object', isRecord],
};

/** What only Mizzen's own supervisor says, of proxies that it started itself. */
const LAYOUT = 'MIZZEN';

/**
 * A proxy's node as translation takes it. The same object for the whole life of a stream, for what is translated is kept by
 * it.
 * @throws Refused INVALID_ARGUMENT for metadata that is not what Istio's proxies send
 */
export function toNode({ id, metadata }: ProxyNode): Node {
  for (const [name, [what, check]] of Object.entries(FIELDS)) {
    const value = metadata[name];
    if (value !== undefined && !check(value)) throw invalid(`\`${name}\` in the node's metadata is not ${what}`);
  }
  if (metadata[LAYOUT] !== undefined) throw invalid(`\`${LAYOUT}\` in the node's metadata is for \`mizzen up\` alone`);
  return { id, metadata: metadata as NodeMetadata };
}

/** Namespace and service account that a node says it is of. */
export function claimOf({ id, metadata }: Node): {
  readonly namespace: string;
  readonly serviceAccount: string | undefined;
} {
  const [, , name = ''] = id.split('~');
  const dot = name.lastIndexOf('.');
  const namespace = metadata.NAMESPACE ?? (dot < 0 ? 'default' : name.slice(dot + 1));
  return { namespace, serviceAccount: metadata.SERVICE_ACCOUNT };
}

function invalid(message: string): Refused {
  return new Refused(GrpcStatus.INVALID_ARGUMENT, message);
}
