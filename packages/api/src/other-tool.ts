import { isRecord } from './normalize.ts';

type Value = Readonly<Record<string, unknown>>;

interface Tool {
  readonly what: string;
  /** Of the file without its folder; absent: whatever its name is. */
  readonly name?: RegExp;
  /** What only this tool's files hold; absent: the name says enough. */
  readonly holds?: (value: Value) => boolean;
}

const TOOLS: readonly Tool[] = [
  { what: 'an npm package', name: /^package(-lock)?\.json$/ },
  { what: 'settings of TypeScript', name: /^[tj]sconfig(\..+)?\.json$/ },
  {
    what: 'a compose file',
    name: /^(docker-)?compose(\..+)?\.ya?ml$/,
    holds: ({ services, include }) => isRecord(services) || Array.isArray(include),
  },
  { what: 'an OpenAPI description', holds: ({ openapi, swagger }) => isVersion(openapi) || isVersion(swagger) },
  {
    what: 'a JSON schema',
    holds: ({ $schema }) => typeof $schema === 'string' && $schema.includes('json-schema.org/'),
  },
  {
    what: 'keys',
    holds: ({ kty, keys, key }) => isKey({ kty }) || isKey(key) || (listOf(keys)?.every(isKey) ?? false),
  },
  { what: 'scenarios of `mizzen load`', holds: ({ scenarios }) => isRecord(scenarios) && every(scenarios, 'steps') },
  { what: 'a configuration of Prometheus', holds: (value) => listOf(value['scrape_configs']) !== undefined },
  { what: 'rules of Prometheus', holds: ({ groups }) => listOf(groups)?.every(hasList('rules')) ?? false },
  {
    what: 'tests of Prometheus rules',
    holds: (value) => listOf(value['rule_files']) !== undefined && listOf(value['tests']) !== undefined,
  },
  {
    what: 'a dashboard of Grafana',
    holds: ({ panels, schemaVersion }) => listOf(panels) !== undefined && typeof schemaVersion === 'number',
  },
  {
    what: 'settings of Grafana',
    holds: ({ apiVersion, datasources, providers }) =>
      typeof apiVersion === 'number' && (listOf(datasources) ?? listOf(providers)) !== undefined,
  },
];

/** Fields that somebody writes who means a resource of Kubernetes. */
const OF_RESOURCES = ['kind', 'metadata', 'spec'];

/**
 * Whose file it is that holds a document which is no resource; undefined where it may have been meant to be one, or nobody
 * here knows.
 */
export function otherTool(file: string, value: unknown): string | undefined {
  if (!isRecord(value)) return undefined;
  const name = file.split(/[/\\]/).at(-1)!;
  const tool = TOOLS.find((each) => (each.name?.test(name) ?? true) && (each.holds?.(value) ?? true));
  if (tool === undefined) return undefined;
  const ownName = tool.name !== undefined && tool.holds === undefined;
  return !ownName && OF_RESOURCES.some((field) => field in value) ? undefined : tool.what;
}

function listOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) && value.length > 0 ? value : undefined;
}

function isVersion(value: unknown): boolean {
  return typeof value === 'string' && /^\d+\.\d+/.test(value);
}

function isKey(value: unknown): boolean {
  return isRecord(value) && typeof value['kty'] === 'string';
}

function hasList(field: string): (value: unknown) => boolean {
  return (value) => isRecord(value) && Array.isArray(value[field]);
}

function every(values: Value, field: string): boolean {
  return Object.values(values).every(hasList(field));
}
