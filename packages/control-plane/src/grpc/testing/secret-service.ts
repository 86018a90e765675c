import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { TypeUrl, type Secret, type types } from '@mizzen/xds';
import { decode, encode } from '@mizzen/xds/binary/index.ts';

const raw = (message: Buffer): Buffer => message;

export interface RunningSecretService {
  /** Names that were asked for, each once. */
  readonly asked: ReadonlySet<string>;
  close(): void;
}

/**
 * The secret discovery service at a unix socket, state of the world, as Istio's agent has it: each request is answered
 * with what it names.
 */
export async function secretService(
  path: string,
  secret: (name: string) => Secret | undefined,
): Promise<RunningSecretService> {
  const asked = new Set<string>();
  const server = new Server();
  const method = {
    path: '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets',
    requestStream: true,
    responseStream: true,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  };
  let nonce = 0;
  server.addService(
    { streamSecrets: method },
    {
      streamSecrets: (call: ServerDuplexStream<Buffer, Buffer>) => {
        let answered = '';
        call.on('data', (message: Buffer) => {
          const request = decode(
            'envoy.service.discovery.v3.DiscoveryRequest',
            message,
          ) as types.discovery.DiscoveryRequest;
          const names = request.resourceNames ?? [];
          for (const name of names) asked.add(name);
          // An acknowledgement asks for nothing new.
          if (names.join('\n') === answered) return;
          answered = names.join('\n');
          const resources = names.flatMap((name) => {
            const found = secret(name);
            return found === undefined ? [] : [{ '@type': TypeUrl.secret, ...found, name }];
          });
          const response = { versionInfo: `${++nonce}`, nonce: `${nonce}`, typeUrl: TypeUrl.secret, resources };
          call.write(Buffer.from(encode('envoy.service.discovery.v3.DiscoveryResponse', response)));
        });
        call.on('end', () => call.end());
        call.on('error', () => undefined);
      },
    },
  );
  await new Promise<void>((done, failed) =>
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => (error ? failed(error) : done())),
  );
  return { asked, close: () => server.forceShutdown() };
}
