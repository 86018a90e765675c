/**
 * The data-plane process: hosts the proxies that its parent names over Node IPC (protocol.ts), with their configuration
 * from the control process. Ends when the channel to its parent does.
 */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { systemDeps } = await import('./deps.ts');
const { ProxyHost } = await import('./host.ts');

if (process.send === undefined) {
  process.stderr.write('this process is started by `mizzen up`; run standalone.ts for a proxy with a bootstrap file\n');
  process.exit(2);
}
const host = new ProxyHost(
  systemDeps(),
  (message) => {
    if (process.connected) process.send?.(message);
  },
  () => process.exit(0),
);
process.on('message', (message) => host.receive(message as Parameters<typeof host.receive>[0]));
process.on('disconnect', () => {
  host.close();
  process.exit(0);
});
process.on('SIGTERM', () => {
  host.close();
  process.exit(0);
});
// A terminal's Ctrl-C reaches the whole group; the parent decides when this process ends.
process.on('SIGINT', () => undefined);
process.on('uncaughtException', (error) => {
  process.stderr.write(`${error.stack ?? error.message}\n`);
  if (process.connected) process.send?.({ type: 'log', level: 'error', message: error.stack ?? error.message });
});
process.send({ type: 'hello' });
