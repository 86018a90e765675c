import type { Secret } from '@mizzen/xds';

const TEXT = '[redacted]';
const BYTES = Buffer.from(TEXT).toString('base64');

/** Fields of a Secret that Envoy's API marks `sensitive`. */
const SENSITIVE: Readonly<Record<string, readonly string[]>> = {
  tlsCertificate: ['privateKey', 'pkcs12', 'password', 'privateKeyProvider'],
  sessionTicketKeys: ['keys'],
  genericSecret: ['secret', 'secrets'],
};

/**
 * A copy that may be shown: texts and bytes in sensitive fields become `[redacted]`, as in Envoy's `/config_dump`.
 */
export function redacted(secret: Secret): Secret {
  const out: Record<string, unknown> = { ...secret };
  for (const [kind, fields] of Object.entries(SENSITIVE)) {
    const message = out[kind];
    if (typeof message !== 'object' || message === null) continue;
    const copy: Record<string, unknown> = { ...message };
    for (const field of fields) if (copy[field] !== undefined) copy[field] = blanked(copy[field], '');
    out[kind] = copy;
  }
  return out as Secret;
}

/** Envoy blanks whatever is below a sensitive field; numbers and switches go. */
function blanked(value: unknown, key: string): unknown {
  if (typeof value === 'string') return key === '@type' ? value : key === 'inlineBytes' ? BYTES : TEXT;
  if (Array.isArray(value)) return value.map((each) => blanked(each, key));
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, child]) => {
      const shown = blanked(child, name);
      return shown === undefined ? [] : [[name, shown]];
    }),
  );
}
