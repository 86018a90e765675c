import type { Listener } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { extensionsOf } from '../extension/list.ts';
import { telemetrySettings } from '../filters/telemetry.ts';
import type { Build } from './build.ts';
import { gatewayListeners } from './gateway.ts';
import { inboundListeners } from './inbound.ts';
import { localListeners } from './local.ts';
import { Marks } from './marks.ts';
import { outboundListeners } from './outbound.ts';

/** Every listener of a proxy; where their parts came from goes to the context's origins. */
export function buildListeners(context: TranslationContext): Listener[] {
  const { model, proxy } = context;
  const build: Build = {
    context,
    marks: new Marks(),
    policies: model.policies(proxy.namespace, proxy.labels),
    telemetry: telemetrySettings(context),
    extensions: extensionsOf(context),
    httpFilters: new Map(),
    networkFilters: new Map(),
  };
  const listeners = proxy.type === 'router' ? gatewayListeners(build) : sidecarListeners(build);
  for (const listener of listeners) build.marks.write(context.origins, listener.name ?? '', listener);
  return [...listeners];
}

function sidecarListeners(build: Build): readonly Listener[] {
  const { local } = build.context.proxy;
  const outbound = local === undefined ? outboundListeners(build) : localListeners(build, local);
  return [...outbound, ...inboundListeners(build)];
}
