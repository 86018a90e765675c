import type { ConnectionInfo } from '../types.ts';
import { turnNow } from './io.ts';
import type { HcmRuntime } from './runtime.ts';

/** What is counted of a downstream connection from its beginning to its end. */
export class ConnectionCounts {
  readonly #hcm: HcmRuntime;
  readonly #encrypted: boolean;
  readonly #begun: number;
  /** Something has come. */
  #spoken = false;
  /** It was the client that ended it. */
  endedByClient = false;

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

  ended(): void {
    const { stats, deps } = this.#hcm;
    stats.downstream_cx_active--;
    stats.downstream_cx_destroy++;
    if (this.endedByClient) stats.downstream_cx_destroy_remote++;
    else stats.downstream_cx_destroy_local++;
    if (this.#spoken) stats.downstream_cx_http1_active--;
    if (this.#encrypted) stats.downstream_cx_ssl_active--;
    stats.downstream_cx_length_ms.record(Math.trunc(turnNow(deps.clock) - this.#begun));
  }
}
