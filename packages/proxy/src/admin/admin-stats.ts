import type { Server } from 'node:http';
import type { Clock } from '../deps.ts';
import { newAnswerCounts, newHcmStats, type HcmStats } from '../http/runtime.ts';
import type { ListenerStats } from '../listener/services.ts';
import { newListenerStats } from '../listener/stats-registry.ts';
import type { Histograms, Values } from '../telemetry/collect.ts';
import { addHcmStats, addListenerStats } from '../telemetry/node-stats.ts';

/**
 * Counts what is asked of the admin endpoint itself, which Envoy counts as one more listener: from when the proxy is
 * ready, because before that it is asked over and over whether it is.
 */
export class AdminRequests {
  readonly #hcm: HcmStats = newHcmStats();
  readonly #listener: ListenerStats = newListenerStats();
  readonly #answers = newAnswerCounts();

  readonly #clock: Clock;
  readonly #ready: () => boolean;

  constructor(clock: Clock, ready: () => boolean) {
    this.#clock = clock;
    this.#ready = ready;
    this.#listener.answers.set('admin', this.#answers);
  }

  follow(server: Server): void {
    const clock = this.#clock;
    const hcm = this.#hcm;
    const listener = this.#listener;
    server.on('connection', (socket) => {
      if (!this.#ready()) return;
      const begun = clock.now();
      for (const stats of [hcm, listener]) {
        stats.downstream_cx_total++;
        stats.downstream_cx_active++;
      }
      let spoken = false;
      socket.on('data', (data: Buffer) => {
        hcm.downstream_cx_rx_bytes_total += data.length;
        if (spoken) return;
        spoken = true;
        hcm.downstream_cx_http1_total++;
        hcm.downstream_cx_http1_active++;
      });
      socket.once('close', () => {
        const length = Math.trunc(clock.now() - begun);
        for (const stats of [hcm, listener]) {
          stats.downstream_cx_active--;
          stats.downstream_cx_destroy++;
          stats.downstream_cx_length_ms.record(length);
        }
        if (socket.readableEnded) hcm.downstream_cx_destroy_remote++;
        else hcm.downstream_cx_destroy_local++;
        if (spoken) hcm.downstream_cx_http1_active--;
        hcm.downstream_cx_tx_bytes_total += socket.bytesWritten;
      });
    });
  }

  /** A request has come; what is returned is to be called with the status of its answer, and again counts nothing. */
  begin(): (status: number) => void {
    if (!this.#ready()) return () => undefined;
    const clock = this.#clock;
    const hcm = this.#hcm;
    const begun = clock.now();
    hcm.downstream_rq_total++;
    hcm.downstream_rq_http1_total++;
    hcm.downstream_rq_active++;
    let answered = false;
    return (status) => {
      if (answered) return;
      answered = true;
      for (const counts of [hcm, this.#answers]) {
        counts.downstream_rq_completed++;
        counts.downstream_rq_xx[Math.trunc(status / 100)]!++;
      }
      queueMicrotask(() => {
        hcm.downstream_rq_active--;
        hcm.downstream_rq_time.record(Math.trunc(clock.now() - begun));
      });
    };
  }

  addTo(values: Values): void {
    addHcmStats(values, 'admin', this.#hcm);
    addListenerStats(values, 'admin', this.#listener, 'main_thread');
  }

  histograms(): Histograms {
    return new Map([
      ['http.admin.downstream_cx_length_ms', [this.#hcm.downstream_cx_length_ms]],
      ['http.admin.downstream_rq_time', [this.#hcm.downstream_rq_time]],
      ['listener.admin.downstream_cx_length_ms', [this.#listener.downstream_cx_length_ms]],
    ]);
  }
}
