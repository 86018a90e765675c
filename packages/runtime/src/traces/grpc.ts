import type { Socket } from 'node:net';
import { Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { otlpBinary } from './otlp.ts';
import { LONGEST } from './receive.ts';
import { BadReport } from './span.ts';
import type { TraceStore } from './store.ts';

const bytes = (message: Uint8Array): Buffer => Buffer.from(message);

const SERVICE: ServiceDefinition = {
  export: {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
};

/** Calls under way on one connection; exporters make one at a time. */
const CALLS = 16;

/** OTLP over gRPC, on connections that somebody else has taken. A module of its own: it brings all of gRPC with it. */
export class OtlpGrpc {
  readonly #grpc: Server;
  readonly #injector: ReturnType<Server['createConnectionInjector']>;

  constructor(store: TraceStore) {
    this.#grpc = new Server({
      'grpc.max_receive_message_length': LONGEST,
      'grpc.max_concurrent_streams': CALLS,
      'grpc.enable_channelz': 0,
    });
    this.#grpc.addService(SERVICE, {
      export: ({ request }: ServerUnaryCall<Buffer, Uint8Array>, answer: sendUnaryData<Uint8Array>) => {
        try {
          const { spans, rejected } = otlpBinary.read(request);
          store.add(spans);
          answer(null, Buffer.from(otlpBinary.success(rejected)));
        } catch (error) {
          if (!(error instanceof BadReport)) throw error;
          answer({ code: status.INVALID_ARGUMENT, details: error.message });
        }
      },
    });
    this.#injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
  }

  /** A connection that begins with HTTP/2's preface. */
  take(socket: Socket): void {
    this.#injector.injectConnection(socket);
  }

  close(): void {
    this.#injector.destroy();
    this.#grpc.forceShutdown();
  }
}
