import { TYPE_PREFIX, type Any } from '@mizzen/xds';

/** `config` as the Any of message `name`; fields that are undefined are left out. */
export function typed<T extends object>(name: string, config: T): Any {
  return { '@type': TYPE_PREFIX + name, ...defined(config) };
}

/** A named extension with its configuration: an HTTP filter, a network filter, a listener filter. */
export function extension<T extends object>(
  name: string,
  message: string,
  config: T,
): { name: string; typedConfig: Any } {
  return { name, typedConfig: typed(message, config) };
}

/** `value` without the fields that are undefined. */
export function defined<T extends object>(value: T): T {
  const out: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) if (field !== undefined) out[key] = field;
  return out as T;
}

/** An Any whose message only Istio's build of Envoy knows, as Istio sends such: a TypedStruct. */
export function typedStruct(name: string, message: string, value: object): { name: string; typedConfig: Any } {
  return extension(name, 'udpa.type.v1.TypedStruct', { typeUrl: TYPE_PREFIX + message, value });
}
