import { GrpcStatus, Refused } from '@mizzen/control-plane/grpc/index.ts';
import type { ProxyNode } from '@mizzen/control-plane/grpc/index.ts';
import { metadataProblem } from '@mizzen/translator';
import type { Node, NodeMetadata } from '@mizzen/translator';

/** What only Mizzen's own supervisor says, of proxies that it started itself. */
const LAYOUT = 'MIZZEN';

/**
 * A proxy's node as translation takes it. The same object for the whole life of a stream, for what is translated is kept by
 * it.
 * @throws Refused INVALID_ARGUMENT for metadata that is not what Istio's proxies send
 */
export function toNode({ id, metadata }: ProxyNode): Node {
  const problem = metadataProblem(metadata);
  if (problem !== undefined) throw invalid(problem);
  if (metadata[LAYOUT] !== undefined) throw invalid(`\`${LAYOUT}\` in the node's metadata is for \`mizzen up\` alone`);
  return { id, metadata: metadata as NodeMetadata };
}

/** Namespace and name of its pod, as its id has them. */
export function podOf({ id }: { readonly id: string }): { readonly namespace: string; readonly pod: string } {
  const [, , name = ''] = id.split('~');
  const dot = name.lastIndexOf('.');
  return { namespace: dot < 0 ? 'default' : name.slice(dot + 1), pod: dot < 0 ? name : name.slice(0, dot) };
}

/** Namespace and service account that a node says it is of. */
export function claimOf({ id, metadata }: Node): {
  readonly namespace: string;
  readonly serviceAccount: string | undefined;
} {
  return { namespace: metadata.NAMESPACE ?? podOf({ id }).namespace, serviceAccount: metadata.SERVICE_ACCOUNT };
}

function invalid(message: string): Refused {
  return new Refused(GrpcStatus.INVALID_ARGUMENT, message);
}
