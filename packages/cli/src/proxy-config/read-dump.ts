import { TYPE_PREFIX } from '@mizzen/xds';
import { enumSchema, type FieldSchema, messageSchema } from '@mizzen/xds/binary/schema.ts';

export type Raw = Readonly<Record<string, unknown>>;

/** The message that an Any carries, from its `@type`; empty without one. */
export function typeOf(value: Raw): string {
  const type = value['@type'];
  return typeof type === 'string' ? type.slice(type.lastIndexOf('/') + 1) : '';
}

/**
 * A message of Envoy's API from its JSON in either spelling: names become camelCase, numbers of enums become their names,
 * and what is null is as if it were not there. Fields and types that the schema does not know stay as they are.
 */
export function readMessage(message: string, value: Raw): Raw {
  const fields = messageSchema(message);
  if (fields === undefined) return value;
  const out: Record<string, unknown> = {};
  for (const [key, given] of Object.entries(value)) {
    if (given === null || given === undefined) continue;
    const name = key in fields ? key : camelCase(key);
    const field = fields[name];
    if (field === undefined) out[key] = given;
    else out[name] = readField(field, given, CARRIED[name]);
  }
  return out;
}

/** What a field of a dump carries, whatever its Any says: a dump may be of another version of Envoy's API, or say nothing. */
const CARRIED: Readonly<Record<string, string>> = {
  cluster: 'envoy.config.cluster.v3.Cluster',
  listener: 'envoy.config.listener.v3.Listener',
  routeConfig: 'envoy.config.route.v3.RouteConfiguration',
  endpointConfig: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  secret: 'envoy.extensions.transport_sockets.tls.v3.Secret',
  ecdsFilter: 'envoy.config.core.v3.TypedExtensionConfig',
};

function readField(field: FieldSchema, value: unknown, carried?: string): unknown {
  if (field.k !== undefined) {
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, readValue(field.t, item)]));
  }
  if (field.r === 1) return Array.isArray(value) ? value.map((item) => readValue(field.t, item)) : value;
  return readValue(field.t, value, carried);
}

function readValue(type: string, value: unknown, carried?: string): unknown {
  if (typeof value === 'number') {
    const names = enumSchema(type);
    if (names !== undefined) return Object.entries(names).find(([, number]) => number === value)?.[0] ?? value;
  }
  if (!isObject(value)) return value;
  if (type === 'google.protobuf.Any') return readMessage(carried ?? typeOf(value), value);
  return readMessage(type, value);
}

export function isObject(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** A dump that cannot be read or lacks what is asked for: one line, in istioctl's words where it has some. */
export class DumpError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DumpError';
  }
}

/** Envoy's `/config_dump` or `/clusters?format=json`, as read; parts are looked up by their type. */
export class Dump {
  /** The text itself, for printing it whole. */
  readonly text: string;
  readonly #top: Raw;
  readonly #parts = new Map<string, Raw>();

  private constructor(text: string, top: Raw) {
    this.text = text;
    this.#top = top;
  }

  /** @throws DumpError for what is no JSON object. */
  static parse(text: string): Dump {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DumpError(`error unmarshalling config dump response from Envoy: ${reason}`);
    }
    if (!isObject(value)) throw new DumpError('error unmarshalling config dump response from Envoy: not a JSON object');
    return new Dump(text, value);
  }

  static of(value: object): Dump {
    return new Dump(JSON.stringify(value, undefined, 2), value as Raw);
  }

  /** `ClustersConfigDump` and the like; of several the last, as istioctl takes it. @throws DumpError without any. */
  part(name: string): Raw {
    const part = this.find(name);
    if (part === undefined) {
      throw new DumpError(`config dump has no configuration type ${TYPE_PREFIX}envoy.admin.v3.${name}`);
    }
    return part;
  }

  find(name: string): Raw | undefined {
    const known = this.#parts.get(name);
    if (known !== undefined) return known;
    const configs: unknown = this.#top['configs'];
    const type = `envoy.admin.v3.${name}`;
    const found = Array.isArray(configs)
      ? configs.findLast((each): each is Raw => isObject(each) && typeOf(each) === type)
      : undefined;
    if (found === undefined) return undefined;
    const part = readMessage(type, found);
    this.#parts.set(name, part);
    return part;
  }

  get isConfigDump(): boolean {
    return 'configs' in this.#top;
  }

  /** `clusterStatuses` of `/clusters?format=json`; a configuration dump has none. */
  clusterStatuses(): readonly Raw[] {
    return list(readMessage('envoy.admin.v3.Clusters', this.#top), 'clusterStatuses');
  }
}

/** The objects of a repeated field. */
export function list(value: unknown, field: string): readonly Raw[] {
  const items = isObject(value) ? value[field] : undefined;
  return Array.isArray(items) ? items.filter(isObject) : [];
}

/** A message inside another; empty when it is not there. */
export function message(value: unknown, ...path: readonly string[]): Raw {
  let at: unknown = value;
  for (const field of path) at = isObject(at) ? at[field] : undefined;
  return isObject(at) ? at : {};
}

export function text(value: unknown, field: string): string {
  const found = isObject(value) ? value[field] : undefined;
  return typeof found === 'string' ? found : '';
}

/** A number, also where JSON has it as a text. */
export function number(value: unknown, field: string): number {
  const found = isObject(value) ? value[field] : undefined;
  return typeof found === 'number' || typeof found === 'string' ? Number(found) : 0;
}

export function strings(value: unknown, field: string): readonly string[] {
  const found = isObject(value) ? value[field] : undefined;
  return Array.isArray(found) ? found.filter((each): each is string => typeof each === 'string') : [];
}
