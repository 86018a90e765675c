import { GATEWAY_API } from './kind-table.ts';

const UNREAD_ROUTE = 'its routes lead nowhere';

/** Kinds that a mesh would use and that are not read yet: group → kind → what that means, as part of a sentence. */
export const LATER_KINDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [GATEWAY_API]: {
    GRPCRoute: UNREAD_ROUTE,
    TLSRoute: UNREAD_ROUTE,
    TCPRoute: UNREAD_ROUTE,
    UDPRoute: UNREAD_ROUTE,
    ListenerSet: 'its listeners are not opened',
    BackendTLSPolicy: 'no TLS is spoken because of it; use a DestinationRule',
    BackendLBPolicy: 'it changes nothing; use a DestinationRule',
  },
  'gateway.networking.x-k8s.io': {
    XListenerSet: 'its listeners are not opened',
    XBackendTrafficPolicy: 'it changes nothing; use a DestinationRule',
    XMesh: 'it changes nothing',
  },
  'inference.networking.k8s.io': { InferencePool: 'routes that lead to it answer 500' },
  'inference.networking.x-k8s.io': {
    InferencePool: 'routes that lead to it answer 500',
    InferenceModel: 'it changes nothing',
    InferenceObjective: 'it changes nothing',
  },
};
