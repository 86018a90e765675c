import { isIPv4, isIPv6 } from 'node:net';
import type { JsonObject, JsonValue } from '@mizzen/xds';
import type { Timer } from '../deps.ts';
import { filterStateOf } from '../filter-state/state.ts';
import type { EndpointProgram, OriginalDstProgram } from '../program/types.ts';
import type { LbContext, UpstreamHost } from '../types.ts';
import { learnedEndpoint, LearningCluster } from './learned-hosts.ts';

interface Known {
  readonly endpoint: EndpointProgram;
  /** Since hosts were last cleaned up. */
  used: boolean;
}

/**
 * ORIGINAL_DST: the host is the address that the filter state, the request's dynamic metadata or a header names, in that
 * order. A request
 * that names none has no host: connections are not captured, so none has a destination other than this proxy. Hosts
 * that nobody used for a cleanup interval go.
 */
export class OriginalDstCluster extends LearningCluster<Known> {
  #cleanup: Timer | undefined;

  override choose(context: LbContext): UpstreamHost | null {
    const program = this.program.originalDst;
    if (program === undefined) return null;
    const target = this.#target(program, context);
    if (target === undefined) return null;
    const port = program.portOverride === 0 ? target.port : program.portOverride;
    const key = `${target.address.includes(':') ? `[${target.address}]` : target.address}:${port}`;
    let known = this.known.get(key);
    if (known === undefined) {
      // The hostname is what Envoy makes up.
      this.known.set(key, (known = { endpoint: learnedEndpoint(this.name + key, target.address, port), used: true }));
      this.publish();
      this.#cleanup ??= this.deps.clock.after(program.cleanupInterval, () => this.#clean(program));
    }
    known.used = true;
    return this.underName(this.hostOf(known.endpoint) ?? null, context);
  }

  override close(): void {
    this.#cleanup?.cancel();
    super.close();
  }

  #target(program: OriginalDstProgram, { stream }: LbContext): Target | undefined {
    const { metadataKey, headerName } = program;
    if (stream !== undefined) {
      const stated = filterStateOf(stream.info, 'envoy.network.transport_socket.original_dst_address')?.fields;
      if (stated !== undefined) return { address: String(stated['ip']), port: Number(stated['port']) };
    }
    if (metadataKey !== undefined) {
      const named = this.#named(firstText(valueAt(stream?.info.dynamicMetadata, metadataKey)));
      if (named !== undefined) return named;
    }
    return headerName === undefined ? undefined : this.#named(stream?.request?.headers.get(headerName));
  }

  /** Counts what names no address. */
  #named(text: string | undefined): Target | undefined {
    if (text === undefined) return undefined;
    const target = parseTarget(text);
    if (target === undefined) this.stats.original_dst_host_invalid++;
    return target;
  }

  #clean(program: OriginalDstProgram): void {
    const before = this.known.size;
    for (const [key, known] of this.known) {
      if (!known.used) this.known.delete(key);
      known.used = false;
    }
    if (this.known.size < before) this.publish();
    this.#cleanup =
      this.known.size === 0 ? undefined : this.deps.clock.after(program.cleanupInterval, () => this.#clean(program));
  }
}

interface Target {
  readonly address: string;
  readonly port: number;
}

/** `1.2.3.4:80` or `[::1]:80`. */
function parseTarget(text: string): Target | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (parts === null) return undefined;
  const port = Number(parts[3]);
  if (port > 65535) return undefined;
  if (parts[1] !== undefined) return isIPv6(parts[1]) ? { address: parts[1], port } : undefined;
  return isIPv4(parts[2]!) ? { address: parts[2]!, port } : undefined;
}

function valueAt(
  metadata: Readonly<Record<string, JsonObject>> | undefined,
  path: readonly string[],
): JsonValue | undefined {
  let value: JsonValue | undefined = metadata;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = (value as JsonObject)[key];
  }
  return value;
}

/** A text, or the first of a list of them. */
function firstText(value: JsonValue | undefined): string | undefined {
  const first: JsonValue | undefined = Array.isArray(value) ? (value as readonly JsonValue[])[0] : value;
  return typeof first === 'string' ? first : undefined;
}
