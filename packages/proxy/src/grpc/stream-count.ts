import type { ClientHttp2Stream } from 'node:http2';
import { httpStatusOf } from '../telemetry/access-log-grpc.ts';
import { countOf, outcomeOf } from '../http/host-report.ts';
import type { UpstreamHost } from '../types.ts';

/** Counts a stream of gRPC at its host: as a request for as long as it is open, and by how it goes. */
export class StreamCount {
  readonly #host: UpstreamHost;
  /** Something has come of it. */
  #heard = false;
  #counted = false;

  constructor(host: UpstreamHost, stream: ClientHttp2Stream) {
    this.#host = host;
    const { stats } = host.cluster;
    host.active++;
    host.issued++;
    host.report('begun');
    stats.upstream_rq_total++;
    stats.upstream_rq_active++;
    stream.once('response', ({ ':status': http = 0, 'grpc-status': grpc }) => {
      this.#heard = true;
      const status = grpc === undefined || http >= 500 ? http : httpStatusOf(String(grpc));
      host.report(outcomeOf(status), 'nothing');
      // Unless it failed already, its end says how it went.
      if (status >= 500 || grpc !== undefined) this.#count(countOf(status));
    });
    stream.once('trailers', ({ 'grpc-status': status = '' }) => this.#count(countOf(httpStatusOf(String(status)))));
    stream.once('close', () => {
      host.active--;
      stats.upstream_rq_active--;
      this.#count('error');
    });
  }

  timedOut(): void {
    this.#host.count?.('timeout');
    if (!this.#heard) this.#host.report('timeout', 'nothing');
  }

  /** Nobody waits for it any more: what comes of it says nothing of the host. */
  leave(): void {
    this.#counted = true;
  }

  #count(what: 'success' | 'client-error' | 'error'): void {
    if (!this.#counted) this.#host.count?.(what);
    this.#counted = true;
  }
}
