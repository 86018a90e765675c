import { isRecord } from '@mizzen/api';
import type { Snapshot } from '@mizzen/api';

/** Keys and texts of a ConfigMap or Secret; undefined when there is no such resource. */
export function dataOf(
  snapshot: Snapshot,
  kind: 'ConfigMap' | 'Secret',
  namespace: string,
  name: string,
): ReadonlyMap<string, string> | undefined {
  const bytes = bytesOf(snapshot, kind, namespace, name);
  return bytes && new Map([...bytes].map(([key, value]) => [key, value.toString('utf8')]));
}

/** The same as bytes: a Secret's `data` and a ConfigMap's `binaryData` are base64. */
export function bytesOf(
  snapshot: Snapshot,
  kind: 'ConfigMap' | 'Secret',
  namespace: string,
  name: string,
): ReadonlyMap<string, Buffer> | undefined {
  const resource = snapshot.get(kind, namespace, name);
  if (resource === undefined) return undefined;
  const [plain, encoded] = kind === 'Secret' ? ['stringData', 'data'] : ['data', 'binaryData'];
  const values = new Map<string, Buffer>();
  const read = (field: string, encoding: 'base64' | 'utf8'): void => {
    const data = resource.body[field];
    if (!isRecord(data)) return;
    for (const [key, value] of Object.entries(data)) {
      if (typeof value === 'string') values.set(key, Buffer.from(value, encoding));
    }
  };
  read(encoded, 'base64');
  read(plain, 'utf8');
  return values;
}
