/**
 * Makes Istio's metrics of what Envoys log, for those have none of their own. Started by `mizzen up` with the first Envoy;
 * it ends when their channel closes.
 */
import { systemDeps } from '@mizzen/proxy/process/deps.ts';
import { ObserverHost } from './host.ts';
import type { FromObserver, ToObserver } from './protocol.ts';

const host = new ObserverHost(systemDeps().clock, (message: FromObserver) => {
  if (process.connected) process.send?.(message);
});
process.on('message', (message: ToObserver) => host.receive(message));
process.on('disconnect', () => process.exit(0));
// `mizzen up` decides when this process ends, also when a terminal's Ctrl-C reaches both.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
