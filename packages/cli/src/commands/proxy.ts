import { commandLineOptions } from '@mizzen/proxy/process/command-line.ts';
import { compileFormat, DEFAULT_FORMAT, type Piece } from '@mizzen/proxy/process/log-format.ts';
import { LEVELS, levelOf, LOGGERS, type Level } from '@mizzen/proxy/process/logger.ts';
import { flag, list, text, UsageError, type Command, type Invocation } from '../command.ts';
import { choices, flags, numbers, refused } from '../proxy/flags.ts';

export const command: Command = {
  name: 'proxy',
  usage: '-c BOOTSTRAP',
  summary: "Runs one proxy from an Envoy bootstrap, with Envoy's flags and admin endpoint.",
  description:
    'Listeners, clusters and secrets come from the bootstrap itself, from any xDS server (state of the world or\n' +
    'incremental, aggregated or one stream a type), and from files. What the proxy does not support is refused by the\n' +
    "field's path; docs/reference/xds-fields.md lists every field. --mode validate only says what is refused.",
  flags,
  examples: ['mizzen proxy -c bootstrap.yaml', 'mizzen proxy -c bootstrap.yaml --mode validate'],
  async run({ positionals, values, out }) {
    if (flag(values, 'version')) {
      const { VERSION } = await import('@mizzen/proxy/version.ts');
      out.write(`\nmizzen proxy  version: ${VERSION}\n\n`);
      return 0;
    }
    if (flag(values, 'hot-restart-version')) {
      out.write('disabled\n');
      return 0;
    }
    if (positionals.length > 0) throw new UsageError(`\`${positionals[0]}\`: the bootstrap is named with -c`);
    check(values);
    // An empty one lays nothing over the file, as if it had not been given.
    const [configPath, configYaml] = [text(values, 'config-path'), text(values, 'config-yaml') || undefined];
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
      drain: {
        time: 1000 * number('drain-time-s', text(values, 'drain-time-s') ?? '600'),
        immediate: text(values, 'drain-strategy') === 'immediate',
      },
      log: {
        level: level('log-level', text(values, 'log-level') ?? 'info'),
        components: components(text(values, 'component-log-level')),
        format: format(text(values, 'log-format') ?? DEFAULT_FORMAT, flag(values, 'log-format-escaped')),
        path: text(values, 'log-path'),
      },
      allowUnknownFields: flag(values, 'allow-unknown-static-fields') || flag(values, 'allow-unknown-fields'),
      statsTags: statsTags(list(values, 'stats-tag')),
      adminAddressPath: text(values, 'admin-address-path'),
      commandLine: commandLineOptions(values),
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

/** As large as numbers of 32 bits are. */
function number(name: string, value: string): number {
  if (/^\+?\d+$/.test(value) && Number(value) <= 0xffffffff) return Number(value);
  throw new UsageError(`--${name}: \`${value}\` is not a whole number up to ${0xffffffff}`);
}

function level(name: string, value: string): Level {
  const known = levelOf(value);
  if (known !== undefined) return known;
  throw new UsageError(`--${name}: \`${value}\` is not a level`, LEVELS.join(', '));
}

function components(value: string | undefined): (readonly [string, Level])[] {
  return (value ?? '').split(',').flatMap((pair) => {
    if (pair === '') return [];
    const [name = '', wanted, ...rest] = pair.split(':');
    if (wanted === undefined || rest.length > 0)
      throw new UsageError(`--component-log-level: \`${pair}\` is not NAME:LEVEL`);
    if (!LOGGERS.includes(name))
      throw new UsageError(`--component-log-level: there is no component \`${name}\``, `one of ${LOGGERS.join(', ')}`);
    return [[name, level('component-log-level', wanted)] as const];
  });
}

function format(pattern: string, escaped: boolean): readonly Piece[] {
  return compileFormat(escaped ? pattern.replaceAll('%v', '%_') : pattern);
}

/** As Envoy reads them: letters and digits before the first colon, no dots after it, no name twice. */
function statsTags(given: readonly string[]): (readonly [string, string])[] {
  const tags = new Map<string, string>();
  for (const pair of given) {
    const [, name, value] = /^([A-Za-z0-9]+):([^.]+)$/.exec(pair) ?? [];
    if (name === undefined || value === undefined)
      throw new UsageError(`--stats-tag: \`${pair}\` is not TAG:VALUE`, 'letters and digits, then no dots');
    if (tags.has(name)) throw new UsageError(`--stats-tag: \`${name}\` is there twice`);
    tags.set(name, value);
  }
  return [...tags];
}
