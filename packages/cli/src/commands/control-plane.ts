import { text as readAll } from 'node:stream/consumers';
import { DEFAULT_PORTS } from '@mizzen/runtime/control-plane/options.ts';
import { stateDirectory } from '@mizzen/runtime/supervisor/state-dir.ts';
import { type Command, common, list, text, UsageError } from '../command.ts';
import { checkNamed } from '../named-files.ts';
import { meshName } from '../running.ts';

export const command: Command = {
  name: 'control-plane',
  usage: '--config FILE|DIR...',
  summary: 'Serves xDS from mesh files to any Envoy.',
  description:
    'Every Envoy that connects is sent what its node asks for, translated from the files, and again whatever changes in\n' +
    'them. Plain text on 127.0.0.1, and TLS for proxies with a certificate of the mesh or a token; the TLS port signs\n' +
    'certificates, too. What is served shows at /debug/syncz, /debug/config_dump and /debug/endpointz.\n' +
    'Endpoints come from the files: Pods, Endpoints, EndpointSlices, WorkloadEntries and ServiceEntries.',
  flags: {
    config: common.config,
    'mesh-config': common['mesh-config'],
    'grpc-port': { type: 'string', value: 'PORT', help: `xDS in plain text (default ${DEFAULT_PORTS.grpc})` },
    'tls-port': { type: 'string', value: 'PORT', help: `xDS and certificates over TLS (default ${DEFAULT_PORTS.tls})` },
    'tls-host': { type: 'string', value: 'ADDRESS', help: 'where the TLS port listens (default 127.0.0.1)' },
    'http-port': { type: 'string', value: 'PORT', help: `pages for debugging (default ${DEFAULT_PORTS.http})` },
    socket: { type: 'string', value: 'PATH', help: 'xDS on a unix socket that only you can open, too' },
    'token-keys': {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'public keys (JWKS or PEM) of whoever issues tokens to proxies; may repeat',
    },
    'state-dir': {
      ...common['state-dir'],
      help: 'where keys and the last good configuration are kept (default .mizzen)',
    },
    name: common.name,
  },
  examples: ['mizzen control-plane --config mesh/', 'mizzen control-plane --config k8s --token-keys jwks.json'],
  async run({ positionals, values, out, err, color }) {
    const files = [...list(values, 'config'), ...positionals];
    if (files.length === 0) throw new UsageError('no configuration given', 'name files or directories with --config');
    checkNamed(files, text(values, 'mesh-config'));
    const name = meshName(values);
    const stateDir = text(values, 'state-dir');
    const { runControlPlane } = await import('@mizzen/runtime/control-plane/run.ts');
    return runControlPlane(
      {
        files,
        meshConfig: text(values, 'mesh-config'),
        ...(files.includes('-') ? { stdin: await readAll(process.stdin) } : {}),
        stateDir: stateDirectory({
          ...(stateDir === undefined ? {} : { stateDir }),
          ...(name === undefined ? {} : { name }),
        }),
        grpcPort: port(text(values, 'grpc-port') ?? String(DEFAULT_PORTS.grpc), 'grpc-port'),
        tlsPort: port(text(values, 'tls-port') ?? String(DEFAULT_PORTS.tls), 'tls-port'),
        tlsHost: text(values, 'tls-host') ?? '127.0.0.1',
        httpPort: port(text(values, 'http-port') ?? String(DEFAULT_PORTS.http), 'http-port'),
        socket: text(values, 'socket'),
        tokenKeys: list(values, 'token-keys'),
        color,
      },
      out,
      (problem) => err.write(`mizzen control-plane: ${problem}\n`),
    );
  },
};

/** 0 is any free port; which one it is, is printed. */
function port(value: string, name: string): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number < 65_536) return number;
  throw new UsageError(`--${name}: \`${value}\` is not a port`);
}
