import { serveAdmin } from '../admin/server.ts';
import type { Nack } from '../types.ts';
import { StaticSource, staticResources } from '../xds/static-source.ts';
import { adminAddress, BootstrapError, readBootstrap, unsupportedFields } from './bootstrap.ts';
import { systemDeps } from './deps.ts';
import { LogFiles } from './log-files.ts';
import { ProxyNode } from './proxy-node.ts';

/** Runs until SIGTERM or SIGINT, which drain for up to a second. */
export function startStandalone(path: string, drainTime: number): void {
  const bootstrap = read(path);
  const refused: Nack[] = [];
  const deps = systemDeps();
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const logs = new LogFiles(deps.clock, say);
  const node = new ProxyNode({
    id: path,
    deps,
    source: new StaticSource(staticResources(bootstrap), (nack) => refused.push(nack)),
    accessLog: (file) => logs.sink(file),
    drainTime,
    onReady: () => void process.stdout.write('ready\n'),
    onBindFailure: (listener, failure) =>
      say(`listener \`${listener}\`: ${failure.address}:${failure.port}: ${failure.message}`),
  });
  for (const field of unsupportedFields(bootstrap)) {
    refused.push({
      typeUrl: '',
      resource: path,
      field,
      message: 'is not supported: the proxy reads `staticResources` and `admin`',
    });
  }
  node.start();
  if (refused.length > 0) {
    for (const { resource, field, message } of refused)
      say(`\`${resource}\`: ${field === '' ? '' : `${field}: `}${message}`);
    process.exit(1);
  }
  const admin = adminAddress(bootstrap);
  if (admin !== undefined) serveAdmin(node, admin.address, admin.port);
  const stop = (): void => {
    void node.stop(1000).then(() => {
      logs.close();
      process.exit(0);
    });
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function read(path: string): Readonly<Record<string, unknown>> {
  try {
    return readBootstrap(path);
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return process.exit(1);
  }
}
