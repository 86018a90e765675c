import type { ConnectionInfo } from '../types.ts';
import { turnNow } from './turn.ts';
import { UserAgentStats, type HcmRuntime, type HcmStats } from './runtime.ts';

/** What is counted of a downstream connection from its beginning to its end. */
export class ConnectionCounts {
  readonly #hcm: HcmRuntime;
  readonly #encrypted: boolean;
  readonly #begun: number;
  /** Something has come. */
  #spoken = false;
  /** It was the client that ended it. */
  endedByClient = false;
  /** The first request has told what kind of program the client is. */
  #introduced = false;
  #agent: UserAgentStats | undefined;

  constructor(hcm: HcmRuntime, info: ConnectionInfo) {
    this.#hcm = hcm;
    this.#encrypted = info.tls !== undefined;
    this.#begun = turnNow(hcm.deps.clock);
    const { stats } = hcm;
    stats.downstream_cx_total++;
    stats.downstream_cx_active++;
    if (!this.#encrypted) return;
    stats.downstream_cx_ssl_total++;
    stats.downstream_cx_ssl_active++;
  }

  received(bytes: number): void {
    const { stats } = this.#hcm;
    stats.downstream_cx_rx_bytes_total += bytes;
    if (this.#spoken) return;
    this.#spoken = true;
    stats.downstream_cx_http1_total++;
    stats.downstream_cx_http1_active++;
  }

  /** A request has begun, known or not. */
  requestBegins(): void {
    const { stats } = this.#hcm;
    stats.downstream_rq_total++;
    stats.downstream_rq_http1_total++;
    stats.downstream_rq_active++;
  }

  /** The head of a request has come, with these fields. */
  headCame(flat: readonly string[]): void {
    if (!this.#introduced) {
      this.#introduced = true;
      this.#agent = agentOf(this.#hcm.stats, flat);
      if (this.#agent !== undefined) this.#agent.downstream_cx_total++;
    }
    if (this.#agent !== undefined) this.#agent.downstream_rq_total++;
  }

  /** The other side ends it in the midst of a request. */
  cutOff(): void {
    this.#hcm.stats.downstream_cx_destroy_remote_active_rq++;
    if (this.#agent !== undefined) this.#agent.downstream_cx_destroy_remote_active_rq++;
  }

  ended(): void {
    const { stats, deps } = this.#hcm;
    stats.downstream_cx_active--;
    stats.downstream_cx_destroy++;
    if (this.endedByClient) stats.downstream_cx_destroy_remote++;
    else stats.downstream_cx_destroy_local++;
    if (this.#spoken) stats.downstream_cx_http1_active--;
    if (this.#encrypted) stats.downstream_cx_ssl_active--;
    const length = Math.trunc(turnNow(deps.clock) - this.#begun);
    stats.downstream_cx_length_ms.record(length);
    this.#agent?.downstream_cx_length_ms.record(length);
  }
}

/** Where connections of a kind of program are counted besides; undefined: it is none of those that are. */
function agentOf({ userAgents }: HcmStats, flat: readonly string[]): UserAgentStats | undefined {
  let text = '';
  for (let i = 0; i < flat.length && text === ''; i += 2) if (flat[i] === 'user-agent') text = flat[i + 1]!;
  const name = text.includes('iOS') ? 'ios' : text.includes('android') ? 'android' : undefined;
  if (name === undefined) return undefined;
  let stats = userAgents.get(name);
  if (stats === undefined) userAgents.set(name, (stats = new UserAgentStats()));
  return stats;
}
