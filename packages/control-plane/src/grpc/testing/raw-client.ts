import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import { field, fieldsOf, textField } from '../wire.ts';

const raw = (message: Buffer): Buffer => message;

export interface RawRequest {
  readonly node?: string;
  readonly metadata?: Uint8Array;
  readonly typeUrl: string;
  readonly versionInfo?: string;
  readonly names?: readonly string[];
  readonly nonce?: string;
  readonly error?: string;
}

/** A DiscoveryRequest. */
export function discoveryRequest({ node, metadata, typeUrl, versionInfo, names, nonce, error }: RawRequest): Buffer {
  return Buffer.concat([
    ...textField(1, versionInfo ?? ''),
    ...(node === undefined
      ? []
      : field(2, ...textField(1, node), ...(metadata === undefined ? [] : field(3, metadata)))),
    ...(names ?? []).flatMap((name) => textField(3, name)),
    ...textField(4, typeUrl),
    ...textField(5, nonce ?? ''),
    ...(error === undefined ? [] : field(6, ...textField(2, error))),
  ]);
}

export interface RawResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly versionInfo: string;
  readonly resources: number;
  readonly bytes: number;
}

/** A call of ADS, state of the world, byte for byte. */
export class RawStream {
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  readonly #client: Client;
  readonly responses: RawResponse[] = [];
  readonly #status: Promise<StatusObject>;

  constructor(target: string, options: { readonly credentials?: ChannelCredentials; readonly token?: string } = {}) {
    this.#client = new Client(target, options.credentials ?? credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
    });
    const metadata = new Metadata();
    if (options.token !== undefined) metadata.set('authorization', `Bearer ${options.token}`);
    this.call = this.#client.makeBidiStreamRequest(
      '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
      raw,
      raw,
      metadata,
    );
    this.call.on('data', (message: Buffer) => this.responses.push(read(message)));
    this.call.on('error', () => undefined);
    this.#status = new Promise((resolve) => this.call.on('status', resolve));
  }

  send(request: RawRequest): void {
    this.call.write(discoveryRequest(request));
  }

  /** How the call ended. */
  status(): Promise<StatusObject> {
    return this.#status;
  }

  close(): void {
    this.call.cancel();
    this.#client.close();
  }
}

function read(message: Buffer): RawResponse {
  let [typeUrl, nonce, versionInfo, resources] = ['', '', '', 0];
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) versionInfo = bytes.toString();
    else if (number === 2) resources += 1;
    else if (number === 4) typeUrl = bytes.toString();
    else if (number === 5) nonce = bytes.toString();
  }
  return { typeUrl, nonce, versionInfo, resources, bytes: message.length };
}

/** Trusts the mesh's roots for istiod's name, and shows a certificate if there is one. */
export function tlsCredentials(
  roots: string,
  own?: { readonly chain: string; readonly privateKey: string },
): ChannelCredentials {
  const [key, chain] = own === undefined ? [null, null] : [Buffer.from(own.privateKey), Buffer.from(own.chain)];
  return credentials.createSsl(Buffer.from(roots), key, chain);
}
