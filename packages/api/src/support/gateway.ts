import type { Gateway, Server } from '../gen/istio.networking.v1alpha3.ts';
import { fields, moot, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const NET = 'istio.networking.v1alpha3';

export const gateway: MessageTable = {
  [`${NET}.Gateway`]: fields<Gateway>({
    servers: yes('what it listens for', 'Listener.filterChains'),
    selector: yes('pods that are the gateway; one is started when no workload fits'),
  }),
  [`${NET}.Server`]: fields<Server>({
    port: yes('port and protocol', 'Listener.address'),
    bind: yes('address to listen at; 127.0.0.1 when left out', 'Listener.address'),
    hosts: yes(
      'names it answers to, and the namespaces whose VirtualServices may bind',
      'FilterChainMatch.serverNames',
      'VirtualHost.domains',
    ),
    tls: yes('TLS of clients', 'FilterChain.transportSocket'),
    defaultEndpoint: moot('Istio does not read it either'),
    name: yes('names the statistics of an HTTPS server', 'HttpConnectionManager.statPrefix'),
  }),
};
