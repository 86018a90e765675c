import { TYPE_PREFIX, type JsonObject, type types } from '@mizzen/xds';
import { writeStruct } from '@mizzen/xds/binary/encode-struct.ts';
import { Writer } from '@mizzen/xds/binary/writer.ts';
import type { Build, ListenerClass } from '../listener/build.ts';
import type { Node } from '../types.ts';
import { proxyHeaders } from './proxy-config.ts';
import { extension } from './typed.ts';

type HttpFilter = types.hcm.HttpFilter;

const PEER_ID = 'x-envoy-peer-metadata-id';
const PEER_METADATA = 'x-envoy-peer-metadata';
/** Dynamic metadata in which a request's log entry tells what the peer said, under `metadata`. */
export const PEER_NAMESPACE = 'mizzen.peer';
/** Where it is kept what is to be said in return. */
const OWN_NAMESPACE = 'mizzen.self';

const LABELS = ['app', 'service.istio.io/canonical-name', 'service.istio.io/canonical-revision', 'version'] as const;
const FIELDS = ['CLUSTER_ID', 'NAME', 'NAMESPACE', 'OWNER', 'WORKLOAD_NAME'] as const;

/**
 * Istio's exchange of workload metadata in header fields, made of filters that every Envoy has: what a peer says goes into
 * dynamic metadata, and no further; peers that say who they are are told the same.
 */
export function envoyPeerFilters(build: Build, listener: ListenerClass): readonly HttpFilter[] {
  const { node } = build.context;
  const own = metadataOf(node);
  const keep = (header: string, key: string, told: string | undefined): readonly JsonObject[] => [
    ...(told === undefined
      ? []
      : [{ header, onHeaderPresent: { metadataNamespace: OWN_NAMESPACE, key, value: told, type: 'STRING' } }]),
    { header, onHeaderPresent: { metadataNamespace: PEER_NAMESPACE, key, type: 'STRING' }, remove: true },
  ];
  const rules = (tells: boolean): readonly JsonObject[] => [
    ...keep(PEER_METADATA, 'metadata', tells ? own : undefined),
    ...keep(PEER_ID, 'id', tells ? node.id : undefined),
  ];
  if (listener === 'inbound') {
    return [
      mutation('peer-answer', 'responseMutations', [
        [PEER_METADATA, `%DYNAMIC_METADATA(${OWN_NAMESPACE}:metadata)%`],
        [PEER_ID, `%DYNAMIC_METADATA(${OWN_NAMESPACE}:id)%`],
      ]),
      discovery('requestRules', rules(true)),
    ];
  }
  // Which clusters are outside is not known where header fields are added, so nobody is told.
  const secret = proxyHeaders(build.context).metadataExchangeHeaders?.mode === 'IN_MESH';
  const found = discovery('responseRules', rules(false));
  if (secret) return [found];
  return [
    mutation('peer-question', 'requestMutations', [
      [PEER_METADATA, own],
      [PEER_ID, node.id],
    ]),
    found,
  ];
}

function mutation(
  name: string,
  of: 'requestMutations' | 'responseMutations',
  fields: readonly (readonly [key: string, value: string])[],
): HttpFilter {
  return extension(`mizzen.${name}`, 'envoy.extensions.filters.http.header_mutation.v3.HeaderMutation', {
    mutations: {
      [of]: fields.map(([key, value]) => ({
        append: { header: { key, value }, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' },
      })),
    },
  });
}

function discovery(of: 'requestRules' | 'responseRules', rules: readonly JsonObject[]): HttpFilter {
  return {
    name: PEER_NAMESPACE,
    typedConfig: { '@type': `${TYPE_PREFIX}envoy.extensions.filters.http.header_to_metadata.v3.Config`, [of]: rules },
  };
}

/** The part of a node's metadata that its peers label their metrics with, as Istio's proxies write it in a field. */
export function metadataOf({ metadata }: Node): string {
  const given = metadata as JsonObject;
  const labels = pick((given['LABELS'] ?? {}) as JsonObject, LABELS);
  const writer = new Writer();
  writeStruct(writer, { ...pick(given, FIELDS), LABELS: labels }, 0);
  return Buffer.from(writer.finish()).toString('base64');
}

function pick(from: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = from[name];
      return typeof value === 'string' && value !== '' ? [[name, value]] : [];
    }),
  );
}
