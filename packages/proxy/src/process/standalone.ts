/**
 * One proxy from a bootstrap file, as `envoy -c` would run it:
 *
 *     node packages/proxy/src/process/standalone.ts -c bootstrap.yaml [--drain-time-s 45]
 *
 * `mizzen proxy` without the command line around it, for tests and benchmarks: prints `ready` on stdout once every
 * listener listens, what it refuses on stderr, and ends with status 1 when a resource is refused, as Envoy does.
 */
import { enableCompileCache } from 'node:module';
import { parseArgs } from 'node:util';

enableCompileCache();
const { startStandalone } = await import('./start-standalone.ts');
const { compileFormat, DEFAULT_FORMAT } = await import('./log-format.ts');
const { commandLineOptions } = await import('./command-line.ts');
const { values } = parseArgs({
  options: { config: { type: 'string', short: 'c' }, 'drain-time-s': { type: 'string', default: '600' } },
});
if (values.config === undefined) {
  process.stderr.write('usage: standalone.ts -c BOOTSTRAP [--drain-time-s SECONDS]\n');
  process.exit(2);
}
const status = await startStandalone({
  configPath: values.config,
  configYaml: undefined,
  mode: 'serve',
  node: {},
  drain: { time: Number(values['drain-time-s']) * 1000, immediate: false },
  log: { level: 'warning', components: [], format: compileFormat(DEFAULT_FORMAT), path: undefined },
  adminAddressPath: undefined,
  commandLine: commandLineOptions({ 'config-path': values.config, 'drain-time-s': values['drain-time-s'] }),
  allowUnknownFields: false,
  statsTags: [],
  announce: true,
});
process.exit(status);
