import { existsSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { renderDiagnostic } from '@mizzen/diagnostics';
import { DEFAULT_API_PORT, DEFAULT_CONSOLE_PORT } from '@mizzen/runtime/supervisor/options.ts';
import { stateDirectory } from '@mizzen/runtime/supervisor/state-dir.ts';
import { up } from '@mizzen/runtime/supervisor/up.ts';
import { openTerminal } from '@mizzen/runtime/terminal/open.ts';
import { type Command, common, flag, list, text, UsageError } from '../command.ts';
import { engineOf } from '../engine.ts';
import { readGiven } from '../load/given-file.ts';
import { meshName } from '../running.ts';

export const command: Command = {
  name: 'up',
  usage: '[FILE|DIR]...',
  summary: 'Runs the mesh that Kubernetes and Istio YAML describe, on this machine.',
  description:
    'Every Deployment, StatefulSet and Pod becomes local processes with a sidecar each; a workload with nothing to run\n' +
    'gets a stand-in that answers for it. Files are followed while it runs. Ctrl-C stops everything.\n' +
    'Without an argument the current directory is read; what it has of other tools is passed over.',
  flags: {
    config: common.config,
    'mesh-config': common['mesh-config'],
    'state-dir': common['state-dir'],
    name: common.name,
    'gateway-port': {
      type: 'string',
      multiple: true,
      value: 'PORT=LOCAL',
      help: 'where a gateway port listens here; others below 1024 move up by 8000',
    },
    'api-port': { type: 'string', value: 'PORT', help: `where the API listens (default ${DEFAULT_API_PORT})` },
    'console-port': {
      type: 'string',
      value: 'PORT',
      help: `where the console is (default ${DEFAULT_CONSOLE_PORT}, or any when that is taken); 0: none`,
    },
    'otlp-metrics': {
      type: 'string',
      value: 'URL',
      help: 'sends all metrics to this OTLP receiver, e.g. http://127.0.0.1:4318',
    },
    'otlp-traces': {
      type: 'string',
      value: 'URL',
      help: 'sends all spans to this OTLP receiver, e.g. that of Jaeger',
    },
    load: {
      type: 'string',
      value: 'FILE',
      help: 'scenarios that are sent through the gateway while it runs, at most 10 a second',
    },
    'no-stand-ins': { type: 'boolean', help: 'refuse workloads that have nothing to run' },
    inject: { type: 'string', value: 'always|labelled', help: 'which pods get a sidecar (default always)' },
    engine: { type: 'string', value: 'mizzen|envoy', help: 'what sidecars and gateways are (default mizzen)' },
    envoy: {
      type: 'string',
      value: 'PATH',
      help: 'the Envoy to run; otherwise $ENVOY, .tools, or the one on the path',
    },
    log: { type: 'boolean', help: 'print what workloads write' },
    quiet: { type: 'boolean', short: 'q', help: 'print only what needs attention' },
  },
  examples: [
    'mizzen up examples/store',
    'mizzen up k8s mesh --gateway-port 80=9000',
    'mizzen up examples/store --engine envoy',
  ],
  async run({ positionals, values, out, err, color }) {
    const files = [...positionals, ...list(values, 'config')];
    const name = meshName(values);
    const stateDir = text(values, 'state-dir');
    const quiet = flag(values, 'quiet');
    const meshConfig = text(values, 'mesh-config');
    const envoy = text(values, 'envoy');
    const otlpMetrics = text(values, 'otlp-metrics');
    const otlpTraces = text(values, 'otlp-traces');
    const consolePort = text(values, 'console-port') ?? String(DEFAULT_CONSOLE_PORT);
    if (meshConfig !== undefined && !existsSync(meshConfig)) {
      err.write(`mizzen up: --mesh-config: there is no file \`${meshConfig}\`\n`);
      return 1;
    }
    const stdin = files.includes('-') ? await readAll(process.stdin) : undefined;
    const loadFile = text(values, 'load');
    const load = loadFile === undefined ? undefined : await gentle(loadFile, err, color);
    if (load === null) return 1;
    const terminal = openTerminal(out, { color, quiet });
    return up(
      {
        files: files.length === 0 ? ['.'] : files,
        cwd: process.cwd(),
        stateDir: stateDirectory({
          ...(stateDir === undefined ? {} : { stateDir }),
          ...(name === undefined ? {} : { name }),
        }),
        name,
        meshConfig,
        ...(stdin === undefined ? {} : { stdin }),
        apiPort: port(text(values, 'api-port') ?? String(DEFAULT_API_PORT), 'api-port'),
        ...(consolePort === '0' ? {} : { consolePort: port(consolePort, 'console-port') }),
        ...(otlpMetrics === undefined ? {} : { otlpMetrics: httpUrl(otlpMetrics, 'otlp-metrics') }),
        ...(otlpTraces === undefined ? {} : { otlpTraces: httpUrl(otlpTraces, 'otlp-traces') }),
        ...(load === undefined ? {} : { load }),
        gatewayPorts: gatewayPorts(list(values, 'gateway-port')),
        standIns: !flag(values, 'no-stand-ins'),
        inject: inject(text(values, 'inject') ?? 'always'),
        engine: engineOf(text(values, 'engine')) ?? 'mizzen',
        ...(envoy === undefined ? {} : { envoy }),
        log: flag(values, 'log'),
        quiet,
        color,
        environment: process.env,
        startedAt: 0,
      },
      terminal,
      (problem) => err.write(`mizzen up: ${problem}\n`),
    );
  },
};

const GENTLE_RATE = 2;
const MOST_RATE = 10;

/** Null: it cannot be read, which was said. */
async function gentle(
  file: string,
  err: NodeJS.WritableStream,
  color: boolean,
): Promise<{ readonly file: string; readonly rate: number } | null> {
  if (!existsSync(file)) {
    err.write(`mizzen up: --load: there is no file \`${file}\`\n`);
    return null;
  }
  const { readPlan } = await import('@mizzen/load');
  const written = readGiven(file);
  const { plan, diagnostics } = readPlan(file, written, process.env);
  if (plan === undefined) {
    for (const each of diagnostics) err.write(`${renderDiagnostic(each, { source: () => written, color })}\n`);
    return null;
  }
  const rate = plan.rate ?? GENTLE_RATE;
  if (rate <= MOST_RATE) return { file, rate };
  throw new UsageError(
    `--load: ${rate} a second are more than ${MOST_RATE}`,
    '`mizzen load` sends as many as it is told',
  );
}

function inject(value: string): 'always' | 'labelled' {
  if (value === 'always' || value === 'labelled') return value;
  throw new UsageError(`--inject is \`always\` or \`labelled\`, not \`${value}\``);
}

function gatewayPorts(pairs: readonly string[]): Record<number, number> {
  const ports: Record<number, number> = {};
  for (const pair of pairs.flatMap((p) => p.split(','))) {
    const [server, local] = pair.split('=');
    if (local === undefined) throw new UsageError(`--gateway-port takes PORT=LOCAL, not \`${pair}\``);
    ports[port(server ?? '', 'gateway-port')] = port(local, 'gateway-port');
  }
  return ports;
}

function httpUrl(value: string, name: string): string {
  const url = URL.parse(value);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return value;
  throw new UsageError(`--${name}: \`${value}\` is no http or https URL`);
}

function port(value: string, name: string): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number > 0 && number < 65_536) return number;
  throw new UsageError(`--${name}: \`${value}\` is not a port`);
}
