export type * from './types.ts';
export { translate } from './translate.ts';
export { createContext } from './context.ts';
export type { Profile, Proxy, TranslationContext } from './context.ts';
export { mergeGateways } from './gateways.ts';
export type { GatewayPort, GatewayServer, MergedGateways } from './gateways.ts';
export { inboundPorts } from './inbound.ts';
export type { InboundPort } from './inbound.ts';
export * as names from './names.ts';
