import type { ResponseParser } from '../codec/response-parser.ts';
import type { Timer } from '../deps.ts';
import { ResponseFlag, type ResponseHead, type UpstreamHost } from '../types.ts';
import type { ClientConnection } from './client-connection.ts';
import { Headers } from './headers.ts';
import { entered, turnNow } from './turn.ts';
import { resetOutcome, type ResetReason } from './reset.ts';
import type { Span } from '../tracing/span.ts';
import type { ActiveStream } from './stream.ts';
import { logAttempt, type LoggedAttempt } from './upstream-log.ts';

/** Follows one attempt for its span and the router's own log. */
export class AttemptLog implements LoggedAttempt {
  readonly host: UpstreamHost;
  readonly started: number;
  head: ResponseHead | undefined;
  connection: ClientConnection | undefined;
  flags = 0;
  transportFailure = '';
  requestBytes = 0;
  responseBytes = 0;
  wireBytesSent = 0;
  /** Clock times of its first byte and of the answer's; -1: there was none. */
  sentAt = -1;
  respondedAt = -1;
  failure: ResetReason | undefined = undefined;
  readonly #stream: ActiveStream;
  #timer: Timer | undefined;
  readonly #span: Span | undefined;
  canceled = false;

  constructor(stream: ActiveStream, host: UpstreamHost, span: Span | undefined) {
    this.#span = span;
    this.#stream = stream;
    this.host = host;
    this.started = turnNow(stream.hcm.deps.clock);
  }

  get wireBytesReceived(): number {
    return this.connection?.received ?? 0;
  }

  connected(connection: ClientConnection): void {
    this.connection = connection;
    this.sentAt = turnNow(this.#stream.hcm.deps.clock);
    const { logsUpstreamStart, upstreamLogInterval = 0 } = this.#stream.hcm.program.router;
    if (logsUpstreamStart === true) logAttempt(this.#stream, this, 'UpstreamPoolReady');
    if (upstreamLogInterval > 0) this.#again(upstreamLogInterval);
  }

  responded(parser: ResponseParser): void {
    this.respondedAt = turnNow(this.#stream.hcm.deps.clock);
    this.head = { status: parser.status, headers: new Headers([...parser.flat]) };
  }

  failed(reason: ResetReason, transport: string): void {
    this.flags |= resetOutcome(reason).flag;
    this.failure = reason;
    this.transportFailure = transport;
  }

  /** Its answer is not waited for. */
  reset(): void {
    this.canceled = true;
  }

  timedOut(): void {
    this.flags |= ResponseFlag.UT;
  }

  sent(bytes: number): void {
    this.requestBytes += bytes;
  }

  received(bytes: number): void {
    this.responseBytes += bytes;
  }

  ended(wireBytesSent: number): void {
    this.wireBytesSent = wireBytesSent;
    this.#timer?.cancel();
    logAttempt(this.#stream, this, 'UpstreamEnd');
    if (this.#span !== undefined) this.#stream.tracing?.attemptOver(this.#span, this);
  }

  #again(interval: number): void {
    this.#timer = this.#stream.hcm.deps.clock.after(interval, () => {
      entered(() => logAttempt(this.#stream, this, 'UpstreamPeriodic'));
      this.#again(interval);
    });
  }
}
