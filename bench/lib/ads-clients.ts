/**
 * Many proxies as a control plane sees them, in one process of their own (`fork`): each holds an incremental ADS stream
 * over a connection of its own, asks for what Envoy would ask for, and acknowledges everything.
 */
import { Client, credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import { encode } from '@mizzen/xds/binary/index.ts';
import { TypeUrl, type JsonObject } from '@mizzen/xds';
import { readDeltaHead } from './ads-message.ts';

export type ToClients =
  | {
      readonly type: 'connect';
      readonly target: string;
      readonly nodes: readonly { readonly id: string; readonly metadata: JsonObject }[];
      readonly routes: readonly string[];
    }
  /** Forgets the counts. */
  | { readonly type: 'reset' }
  | { readonly type: 'report' };

/** Since the last reset. Times are wall clock milliseconds. */
export interface Counts {
  readonly bytes: number;
  readonly responses: number;
  readonly resources: Readonly<Record<string, number>>;
  /** Proxies that acknowledged something. */
  readonly proxies: number;
  readonly lastAck: number;
}

const METHOD = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
const REQUEST = 'envoy.service.discovery.v3.DeltaDiscoveryRequest';

let bytes = 0;
let responses = 0;
let lastAck = 0;
let resources: Record<string, number> = {};
const proxies = new Set<string>();

function connect({ target, nodes, routes }: Extract<ToClients, { type: 'connect' }>): void {
  for (const node of nodes) {
    // Channels to one target share a connection unless they differ in an option.
    const client = new Client(target, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': 1 << 30,
    });
    const same = (value: Buffer): Buffer => value;
    const stream: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(METHOD, same, same);
    const send = (request: JsonObject): void => void stream.write(Buffer.from(encode(REQUEST, request)));
    let asked = false;
    stream.on('data', (message: Buffer) => {
      const { typeUrl, nonce, names } = readDeltaHead(message);
      bytes += message.length;
      responses++;
      const type = typeUrl.split('.').at(-1)!;
      resources[type] = (resources[type] ?? 0) + names.length;
      proxies.add(node.id);
      send({ typeUrl, responseNonce: nonce });
      lastAck = performance.timeOrigin + performance.now();
      if (typeUrl !== TypeUrl.cluster || asked) return;
      asked = true;
      const outbound = names.filter((name) => name.startsWith('outbound|'));
      send({ typeUrl: TypeUrl.endpoint, resourceNamesSubscribe: outbound });
      send({ typeUrl: TypeUrl.listener, resourceNamesSubscribe: ['*'] });
      send({ typeUrl: TypeUrl.route, resourceNamesSubscribe: routes });
    });
    stream.on('error', (error) => {
      process.stderr.write(`${node.id}: ${error.message}\n`);
      process.exit(1);
    });
    send({ node: { id: node.id, cluster: 'bench', metadata: node.metadata }, typeUrl: TypeUrl.cluster });
  }
}

process.on('message', (message: ToClients) => {
  if (message.type === 'connect') connect(message);
  else if (message.type === 'reset') {
    bytes = responses = lastAck = 0;
    resources = {};
    proxies.clear();
  } else {
    process.send?.({ bytes, responses, resources, proxies: proxies.size, lastAck } satisfies Counts);
  }
});
process.on('disconnect', () => process.exit(0));
