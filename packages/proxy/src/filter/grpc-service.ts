import type { JsonObject, types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { LogSource, PendingCall } from '../program/types.ts';
import { milliseconds } from '../program/values.ts';
import { compileMetadata } from '../program/grpc-metadata.ts';

/** One method of a gRPC service that a filter asks. */
export interface GrpcMethod {
  /** `source`: whom it is asked for, if anybody, which `initialMetadata` may show. */
  call(request: object, source?: LogSource): PendingCall<JsonObject>;
}

/** `timeout` (milliseconds) is what counts where the service has none of its own. */
export function compileGrpcMethod(
  context: CompileContext,
  service: types.core.GrpcService | undefined,
  method: { readonly name: string; readonly requestType: string; readonly answerType: string },
  timeout: number,
  path: Path,
): GrpcMethod {
  const { clusterName: cluster = '', authority = '' } = service?.envoyGrpc ?? {};
  if (cluster === '') context.refuse([...path, 'envoyGrpc', 'clusterName'], 'must not be empty');
  // That of `envoyGrpc` is for streams of management servers.
  if (service?.retryPolicy !== undefined) context.refuse([...path, 'retryPolicy'], 'calls are not tried again');
  const metadata = compileMetadata(context, service?.initialMetadata, path);
  const limit = milliseconds(service?.timeout, timeout);
  return {
    call: (request, source) =>
      context.deps.calls.grpc({
        cluster,
        authority,
        method: method.name,
        requestType: method.requestType,
        answerType: method.answerType,
        request,
        metadata: metadata(source),
        timeout: limit,
        maxAnswer: service?.envoyGrpc?.maxReceiveMessageLength,
        skipEnvoyHeaders: service?.envoyGrpc?.skipEnvoyHeaders === true,
      }),
  };
}
