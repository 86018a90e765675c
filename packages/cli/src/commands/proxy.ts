import { componentOf, compileFormat, DEFAULT_FORMAT, levelOf } from '@mizzen/proxy/process/logger.ts';
import type { Component, Level, Piece } from '@mizzen/proxy/process/logger.ts';
import { flag, text, UsageError, type Command, type Invocation } from '../command.ts';
import { accepted, choices, COMPONENTS, effective, numbers, refused } from '../proxy/flags.ts';

export const command: Command = {
  name: 'proxy',
  usage: '-c BOOTSTRAP',
  summary: "Runs one proxy from an Envoy bootstrap, with Envoy's flags and admin endpoint.",
  description:
    'Listeners, clusters and secrets come from the bootstrap itself, from any xDS server (state of the world or\n' +
    'incremental, aggregated or one stream a type), and from files. What the proxy does not support is refused by the\n' +
    "field's path; docs/reference/xds-fields.md lists every field. --mode validate only says what is refused.",
  flags: { ...effective, ...accepted, ...refused },
  examples: ['mizzen proxy -c bootstrap.yaml', 'mizzen proxy -c bootstrap.yaml --mode validate'],
  async run({ positionals, values }) {
    if (positionals.length > 0) throw new UsageError(`\`${positionals[0]}\`: the bootstrap is named with -c`);
    check(values);
    const [configPath, configYaml] = [text(values, 'config-path'), text(values, 'config-yaml')];
    if (configPath === undefined && configYaml === undefined)
      throw new UsageError('no bootstrap given', 'name a file with -c, or give one with --config-yaml');
    const { startStandalone } = await import('@mizzen/proxy/process/start-standalone.ts');
    const status = await startStandalone({
      configPath,
      configYaml,
      mode: (text(values, 'mode') ?? 'serve') as 'serve' | 'validate' | 'init_only',
      node: {
        id: text(values, 'service-node'),
        cluster: text(values, 'service-cluster'),
        zone: text(values, 'service-zone'),
      },
      drainTime: 1000 * number('drain-time-s', text(values, 'drain-time-s') ?? '600'),
      log: {
        level: level('log-level', text(values, 'log-level') ?? 'info'),
        components: components(text(values, 'component-log-level')),
        format: format(text(values, 'log-format') ?? DEFAULT_FORMAT, flag(values, 'log-format-escaped')),
        path: text(values, 'log-path'),
      },
      adminAddressPath: text(values, 'admin-address-path'),
      commandLine: commandLine(values),
      announce: false,
    });
    // Connections that outlived their time must not keep the process.
    process.exit(status);
  },
};

function check(values: Invocation['values']): void {
  for (const [name, { why }] of Object.entries(refused)) {
    const value = values[name];
    if (value !== undefined && !(name === 'restart-epoch' && value === '0')) throw new UsageError(`--${name}: ${why}`);
  }
  for (const [name, known] of Object.entries(choices)) {
    const value = text(values, name);
    if (value !== undefined && !known.includes(value))
      throw new UsageError(`--${name}: \`${value}\` is none of ${known.join(', ')}`);
  }
  for (const name of numbers) {
    const value = text(values, name);
    if (value !== undefined) number(name, value);
  }
}

function number(name: string, value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new UsageError(`--${name}: \`${value}\` is not a whole number`);
}

function level(name: string, value: string): Level {
  const known = levelOf(value);
  if (known !== undefined) return known;
  throw new UsageError(`--${name}: \`${value}\` is not a level`, 'trace, debug, info, warning, error, critical or off');
}

function components(value: string | undefined): (readonly [Component, Level])[] {
  return (value ?? '').split(',').flatMap((pair) => {
    if (pair === '') return [];
    const [name = '', wanted = ''] = pair.split(':');
    if (!COMPONENTS.has(name)) throw new UsageError(`--component-log-level: there is no component \`${name}\``);
    const known = level('component-log-level', wanted);
    const component = componentOf(name);
    return component === undefined ? [] : [[component, known] as const];
  });
}

function format(pattern: string, escaped: boolean): readonly Piece[] {
  const pieces = compileFormat(escaped ? pattern.replaceAll('%v', '%_') : pattern);
  if (typeof pieces === 'string') throw new UsageError(`--log-format: \`${pieces}\` is not known`);
  return pieces;
}

/** As Envoy's CommandLineOptions: only what was said. */
function commandLine(values: Invocation['values']): Record<string, string | number | boolean> {
  const all: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'boolean' || typeof value === 'string') {
      const key = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
      all[key] = numbers.includes(name) ? Number(value) : value;
    }
  }
  return all;
}
