import type { JsonObject } from '@mizzen/xds';
import { DEFAULT_FORMAT } from './log-format.ts';

/** What a command line says, by the names of its flags. */
export type GivenFlags = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** Levels that have another name than the flag's. */
const LEVELS: Readonly<Record<string, string>> = { warn: 'warning', err: 'error' };

/** Envoy's CommandLineOptions: every option, with the value that holds when nothing is said. */
export function commandLineOptions(given: GivenFlags): JsonObject {
  const text = (name: string, otherwise = ''): string => {
    const value = given[name];
    return typeof value === 'string' ? value : otherwise;
  };
  const number = (name: string, otherwise: number): number => Number(text(name, String(otherwise)));
  const on = (name: string): boolean => given[name] === true;
  const list = (name: string): string[] => {
    const value = given[name];
    return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
  };
  const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1);
  const mode = text('mode', 'serve');
  return {
    baseId: text('base-id', '0'),
    concurrency: number('concurrency', 1),
    configPath: text('config-path'),
    configYaml: text('config-yaml'),
    allowUnknownStaticFields: on('allow-unknown-static-fields') || on('allow-unknown-fields'),
    adminAddressPath: text('admin-address-path'),
    localAddressIpVersion: text('local-address-ip-version', 'v4'),
    logLevel: LEVELS[text('log-level', 'info')] ?? text('log-level', 'info'),
    componentLogLevel: text('component-log-level'),
    logFormat: text('log-format', DEFAULT_FORMAT),
    logPath: text('log-path'),
    serviceCluster: text('service-cluster'),
    serviceNode: text('service-node'),
    serviceZone: text('service-zone'),
    fileFlushInterval: seconds(number('file-flush-interval-msec', 10_000)),
    drainTime: `${number('drain-time-s', 600)}s`,
    parentShutdownTime: `${number('parent-shutdown-time-s', 900)}s`,
    mode: mode === 'init_only' ? 'InitOnly' : capital(mode),
    disableHotRestart: true,
    enableMutexTracing: false,
    restartEpoch: 0,
    cpusetThreads: on('cpuset-threads'),
    rejectUnknownDynamicFields: false,
    logFormatEscaped: on('log-format-escaped'),
    disabledExtensions: [],
    ignoreUnknownDynamicFields: on('ignore-unknown-dynamic-fields'),
    useDynamicBaseId: on('use-dynamic-base-id'),
    baseIdPath: '',
    drainStrategy: capital(text('drain-strategy', 'gradual')),
    enableFineGrainLogging: false,
    socketPath: text('socket-path', '@envoy_domain_socket'),
    socketMode: 0,
    enableCoreDump: on('enable-core-dump'),
    statsTag: list('stats-tag'),
    skipHotRestartOnNoParent: on('skip-hot-restart-on-no-parent'),
    skipHotRestartParentStats: on('skip-hot-restart-parent-stats'),
    skipDeprecatedLogs: on('skip-deprecated-logs'),
    fileFlushMinSize: number('file-flush-min-size-kb', 0),
    logStacktraceSingleEntry: on('log-stacktrace-single-entry'),
  };
}

/** Of milliseconds, as protobuf writes durations: `10s`, `0.100s`. */
function seconds(milliseconds: number): string {
  return `${milliseconds % 1000 === 0 ? milliseconds / 1000 : (milliseconds / 1000).toFixed(3)}s`;
}
