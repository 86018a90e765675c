import { isRecord } from '@mizzen/api';

const isText = (value: unknown): boolean => typeof value === 'string';
const isTexts = (value: unknown): boolean => isRecord(value) && Object.values(value).every(isText);

/** Metadata that translation reads, and what each must be. */
const FIELDS: Readonly<Record<string, readonly [what: string, check: (value: unknown) => boolean]>> = {
  NAME: ['a text', isText],
  NAMESPACE: ['a text', isText],
  SERVICE_ACCOUNT: ['a text', isText],
  LABELS: ['a map of texts', isTexts],
  ANNOTATIONS: ['a map of texts', isTexts],
  CLUSTER_ID: ['a text', isText],
  INSTANCE_IPS: ['a text', isText],
  NODE_NAME: ['a text', isText],
  NETWORK: ['a text', isText],
  ISTIO_VERSION: ['a text', isText],
  MIZZEN_METRICS: ['a text', isText],
  INTERCEPTION_MODE: [
    '`REDIRECT`, `TPROXY` or `NONE`',
    (value) => ['REDIRECT', 'TPROXY', 'NONE'].includes(String(value)),
  ],
  PROXY_CONFIG: ['an object', isRecord],
};

/** How the metadata of an Envoy node is not what Istio's proxies send; undefined when it can be translated for. */
export function metadataProblem(metadata: unknown): string | undefined {
  if (!isRecord(metadata)) return 'the metadata of the node is not an object';
  for (const [name, [what, check]] of Object.entries(FIELDS)) {
    const value = metadata[name];
    if (value !== undefined && !check(value)) return `\`${name}\` in the node's metadata is not ${what}`;
  }
  return undefined;
}
