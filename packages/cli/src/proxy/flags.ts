import type { Flag } from '../command.ts';

/** Flags of Envoy that do something here. */
export const effective: Readonly<Record<string, Flag>> = {
  'config-path': { type: 'string', short: 'c', value: 'FILE', help: 'the bootstrap: YAML or JSON' },
  'config-yaml': { type: 'string', value: 'YAML', help: 'a bootstrap, laid over the one of --config-path' },
  mode: {
    type: 'string',
    value: 'MODE',
    help: 'serve (default), validate, or init_only, which is the same as validate',
  },
  'service-node': { type: 'string', value: 'ID', help: "the node's id, whatever the bootstrap says" },
  'service-cluster': { type: 'string', value: 'NAME', help: "the node's cluster, whatever the bootstrap says" },
  'service-zone': { type: 'string', value: 'ZONE', help: "the zone of the node's locality" },
  'log-level': { type: 'string', short: 'l', value: 'LEVEL', help: 'trace to critical, or off (default info)' },
  'component-log-level': { type: 'string', value: 'NAME:LEVEL,...', help: 'levels of parts of the proxy' },
  'log-format': { type: 'string', value: 'FORMAT', help: "lines of the log, in spdlog's pattern" },
  'log-format-escaped': { type: 'boolean', help: 'line ends within messages are written as \\n' },
  'log-path': { type: 'string', value: 'FILE', help: 'where the log goes instead of to stderr' },
  'drain-time-s': { type: 'string', value: 'SECONDS', help: 'how long replaced connections may go on (default 600)' },
  'stats-tag': { type: 'string', multiple: true, value: 'TAG:VALUE', help: 'a tag of all statistics; may repeat' },
  'allow-unknown-static-fields': { type: 'boolean', help: 'fields that Envoy does not have are passed over' },
  'allow-unknown-fields': { type: 'boolean', help: 'the same as --allow-unknown-static-fields' },
  version: { type: 'boolean', help: 'print the version and end' },
  'hot-restart-version': { type: 'boolean', help: 'print `disabled` and end' },
  'drain-strategy': {
    type: 'string',
    value: 'STRATEGY',
    help: 'gradual (default: more and more answers ask for the end of such a connection) or immediate',
  },
  'admin-address-path': { type: 'string', value: 'FILE', help: 'file to write the address of the admin endpoint to' },
};

/** Flags of Envoy that are taken because nothing would be different: name, kind of value, why. */
const harmless: readonly (readonly [string, 'number' | 'text' | 'switch', string])[] = [
  ['concurrency', 'number', 'a proxy has one thread'],
  ['base-id', 'number', 'there is no hot restart'],
  ['use-dynamic-base-id', 'switch', 'there is no hot restart'],
  ['disable-hot-restart', 'switch', 'there is no hot restart'],
  ['skip-hot-restart-on-no-parent', 'switch', 'there is no hot restart'],
  ['skip-hot-restart-parent-stats', 'switch', 'there is no hot restart'],
  ['parent-shutdown-time-s', 'number', 'there is no hot restart'],
  ['socket-path', 'text', 'there is no hot restart'],
  ['socket-mode', 'text', 'there is no hot restart'],
  ['local-address-ip-version', 'text', 'v4 or v6: nothing asks for the address of the machine'],
  ['file-flush-interval-msec', 'number', 'log files are written every 50 ms'],
  ['file-flush-min-size-kb', 'number', 'log files are written every 50 ms'],
  ['ignore-unknown-dynamic-fields', 'switch', 'what a server sends is read by names that are known'],
  ['skip-deprecated-logs', 'switch', 'deprecated fields are not remarked on'],
  ['log-stacktrace-single-entry', 'switch', 'no stack trace is logged'],
  ['cpuset-threads', 'switch', 'a proxy has one thread'],
  ['enable-core-dump', 'switch', "core dumps are Node's"],
];

/** By name; the value is checked as Envoy would. */
export const accepted: Readonly<Record<string, Flag>> = Object.fromEntries(
  harmless.map(([name, kind, why]): [string, Flag] => [
    name,
    kind === 'switch'
      ? { type: 'boolean', help: `of no effect: ${why}` }
      : { type: 'string', value: kind === 'number' ? 'NUMBER' : 'VALUE', help: `of no effect: ${why}` },
  ]),
);

export const numbers: readonly string[] = harmless.flatMap(([name, kind]) => (kind === 'number' ? [name] : []));

/** Values that single flags may have. */
export const choices: Readonly<Record<string, readonly string[]>> = {
  mode: ['serve', 'validate', 'init_only'],
  'drain-strategy': ['gradual', 'immediate'],
  'local-address-ip-version': ['v4', 'v6'],
};

/** Flags of Envoy that ask for what cannot be had; said by name. */
export const refused: Readonly<Record<string, Flag & { readonly why: string }>> = {
  'restart-epoch': { type: 'string', value: 'EPOCH', help: 'only 0', why: 'there is no hot restart: only 0 is taken' },
  'base-id-path': { type: 'string', value: 'FILE', help: 'refused', why: 'there is no hot restart' },
  'reject-unknown-dynamic-fields': {
    type: 'boolean',
    help: 'refused',
    why: 'unknown fields of what a server sends are not seen',
  },
  'enable-fine-grain-logging': { type: 'boolean', help: 'refused', why: 'levels are set by component' },
  'enable-mutex-tracing': { type: 'boolean', help: 'refused', why: 'there are no mutexes' },
  'disable-extensions': { type: 'string', value: 'NAMES', help: 'refused', why: 'extensions cannot be taken out' },
};

/** All of them; each may be given once, save those that may be repeated. */
export const flags: Readonly<Record<string, Flag>> = Object.fromEntries(
  Object.entries({ ...effective, ...accepted, ...refused }).map(([name, flag]): [string, Flag] => [
    name,
    flag.multiple === true ? flag : { ...flag, once: true },
  ]),
);
