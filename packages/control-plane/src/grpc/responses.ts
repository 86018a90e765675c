import { encode } from '@mizzen/xds/binary/index.ts';
import { TYPE_PREFIX } from '@mizzen/xds';
import type { JsonObject } from '@mizzen/xds';
import type { VersionedResource } from '../xds/resource.ts';
import { field, textField } from './wire.ts';

const encoded = new WeakMap<VersionedResource, Uint8Array>();

/**
 * A resource as an encoded google.protobuf.Any, made once for all proxies.
 * @throws Error when it does not fit Envoy's schema.
 */
export function encodedAny(typeUrl: string, resource: VersionedResource): Uint8Array {
  let any = encoded.get(resource);
  if (any === undefined) {
    const message = encode(typeUrl.slice(TYPE_PREFIX.length), resource.resource as JsonObject);
    any = Buffer.concat([...textField(1, typeUrl), ...field(2, message)]);
    encoded.set(resource, any);
  }
  return any;
}

export interface WireResource {
  readonly name: string;
  readonly version: string;
  readonly any: Uint8Array;
}

/** A google ControlPlane message, as `{"identifier": "mizzen"}`. */
const CONTROL_PLANE = Buffer.concat(textField(1, 'mizzen'));

/** envoy.service.discovery.v3.DiscoveryResponse */
export function worldResponse(
  typeUrl: string,
  versionInfo: string,
  nonce: string,
  resources: readonly WireResource[],
): Buffer {
  return Buffer.concat([
    ...textField(1, versionInfo),
    ...resources.flatMap(({ any }) => field(2, any)),
    ...textField(4, typeUrl),
    ...textField(5, nonce),
    ...field(6, CONTROL_PLANE),
  ]);
}

/** envoy.service.discovery.v3.DeltaDiscoveryResponse */
export function incrementalResponse(
  typeUrl: string,
  nonce: string,
  resources: readonly WireResource[],
  removed: readonly string[],
): Buffer {
  return Buffer.concat([
    ...resources.flatMap(({ name, version, any }) =>
      field(2, ...textField(1, version), ...field(2, any), ...textField(3, name)),
    ),
    ...textField(4, typeUrl),
    ...textField(5, nonce),
    ...removed.flatMap((name) => field(6, Buffer.from(name))),
    ...field(7, CONTROL_PLANE),
  ]);
}
