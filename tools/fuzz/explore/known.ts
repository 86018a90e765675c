/** What is taken out before the two are compared: what differs from run to run, and differences that are kept (docs/reference/differences.md). */
import { normalize, normalizeLog } from '../../../conformance/normalize.ts';

/** Bytes of answers and of requests. */
export function ofBytes(bytes: string, ports: ReadonlyMap<string, number>): string {
  let text = normalize(bytes);
  for (const [name, port] of ports) text = text.replaceAll(String(port), `PORT-OF-${name.replace(/^u\d+/, '')}`);
  return (
    text
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'ID')
      .replaceAll(/(?<=x-ratelimit-reset: )\d+/g, 'S')
      // Of an authorizer and of the upstream.
      .replaceAll(/(?<=x-envoy-upstream-service-time: N,)\d+/g, 'N')
      .replaceAll(/\w{3}, \d\d \w{3} 20\d\d [\d:]{8} GMT/g, 'DATE')
  );
}

/** What an upstream got: Envoy sends an authorizer its fields in no order. */
export function ofReceived(bytes: string, ports: ReadonlyMap<string, number>): string {
  const text = ofBytes(bytes, ports);
  const end = text.indexOf('\r\n\r\n');
  // How what is compressed is parted depends on how it came, and on when there is a connection.
  if (end > 0 && /\r\ncontent-encoding: (?:gzip|br)(?:\r\n|$)/.test(text.slice(0, end)))
    return text.slice(0, end).replace(/(?<=\r\ncontent-length: )\d+/, 'N');
  if (end < 0 || !/^[A-Z]+ \/authz\//.test(text)) return text;
  return text.slice(0, end).split('\r\n').toSorted().join('\r\n') + text.slice(end);
}

/** Lines of access logs: between angle brackets is what the moment decides. */
export function ofLog(line: string, ports: ReadonlyMap<string, number>): string {
  return ofBytes(normalizeLog(line), ports).replaceAll(/<(?:\d+|ID)>/g, '<N>');
}

/** Statistics that are not compared. */
const NOT_COMPARED = [
  // How long fields are depends on durations and addresses.
  /_bytes_(?:total|buffered)$/,
  // How compressed bodies are parted is chance.
  /\.total_compressed_bytes$/,
  /_flow_control_/,
  // Named on the page of differences.
  /connections_accepted_per_socket_event|remaining_cx_pools/,
  // Of answers to requests that did not come to the filter, too (`matchers-of-answers`).
  /\.filter_delegation_success$/,
  // Threads.
  /\.worker_\d+\./,
];

export function isCompared(stat: string): boolean {
  return NOT_COMPARED.every((each) => !each.test(stat));
}

/** `pipelined-answers`: Envoy gave a connection up, and with it what came behind. */
export function isPipelined(envoy: ReadonlyMap<string, string>): boolean {
  return [...envoy.values()].some((each) => /Too.many.responses.queued/i.test(each));
}
