import { networkInterfaces } from 'node:os';

const OWN = Object.values(networkInterfaces()).flatMap((all) =>
  (all ?? []).filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address),
);

/**
 * Takes out what differs from run to run, and what a sidecar says of itself: Mizzen's own proxy does as Istio's, a plain Envoy
 * cannot (`peer-metadata` in differences.md). For a client on this machine Envoy puts the machine's outer address into
 * x-forwarded-for, which here stays the client's: both become CLIENT.
 */
export function normalize(bytes: string): string {
  let text = bytes;
  for (const address of OWN) text = text.replaceAll(address, 'CLIENT');
  return text
    .replaceAll(/^x-envoy-peer-metadata(-id)?: [^\r\n]*\r?\n/gim, '')
    .replaceAll(/127\.77\.\d+\.\d+:\d+/g, 'CLIENT:PORT')
    .replaceAll(/127\.77\.\d+\.\d+/g, 'CLIENT')
    .replaceAll(/(?<=date: )\w{3}, \d\d [^\r\n]*/gi, 'DATE')
    .replaceAll(/(?<=x-request-id: )[0-9a-f-]{36}/gi, 'ID')
    .replaceAll(/(?<=x-b3-(?:trace|span|parentspan)id: )[0-9a-f]{16,32}/gi, 'ID')
    .replaceAll(/(?<=traceparent: 00-)[0-9a-f]{32}-[0-9a-f]{16}/gi, 'ID-ID')
    .replaceAll(/(?<=x-envoy-upstream-service-time: )\d+/gi, 'N')
    .replaceAll(/(?<=x-envoy-expected-rq-timeout-ms: )\d+/gi, (ms) => roundUp(Number(ms)));
}

/** What is left of a time is another each time; of much, more has passed on a busy machine. */
function roundUp(ms: number): string {
  const step = ms > 10_000 ? 2500 : 500;
  return String(Math.ceil(ms / step) * step);
}

/** Response flags are a set; the keys of an object are where `unordered`. */
export function normalizeLog(line: string, unordered = false): string {
  return line
    .split(' ')
    .map((part) => {
      if (/^[A-Z]+(,[A-Z]+)+$/.test(part)) return part.split(',').toSorted().join(',');
      if (!unordered || !part.startsWith('{')) return part;
      const fields = Object.entries(JSON.parse(part) as object);
      return JSON.stringify(Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1))));
    })
    .join(' ');
}
