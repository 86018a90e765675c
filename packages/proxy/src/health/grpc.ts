import { FrameReader, FramingError, frame } from '../grpc/framing.ts';
import { GrpcStatus } from '../grpc/stream.ts';
import type { CheckProgram } from '../program/types.ts';
import { checkedName, type Checker, type CheckerSurroundings } from './checker.ts';
import { Http2Asker } from './http2.ts';

type GrpcCheck = Extract<CheckProgram, { kind: 'grpc' }>;

const MAX_MESSAGE = 64 * 1024;
/** grpc.health.v1.HealthCheckResponse.ServingStatus */
const SERVING = 1;

/** Asks by grpc.health.v1.Health/Check. */
export class GrpcChecker implements Checker {
  readonly #with: CheckerSurroundings;
  readonly #check: GrpcCheck;
  readonly #asker: Http2Asker;

  constructor(surroundings: CheckerSurroundings, check: GrpcCheck) {
    this.#with = surroundings;
    this.#check = check;
    this.#asker = new Http2Asker(surroundings);
  }

  ask(): void {
    const { authority, headers, serviceName } = this.#check;
    const reader = new FrameReader(MAX_MESSAGE);
    let status: number | undefined;
    let http = 0;
    let serving: number | undefined;
    const wellFormed = (chunk: Buffer): void => {
      try {
        for (const message of reader.push(chunk)) serving = servingStatus(message);
      } catch (error) {
        if (!(error instanceof FramingError)) throw error;
        status = GrpcStatus.internal;
      }
    };
    const noteStatus = (given: string | string[] | undefined): void => {
      if (typeof given === 'string') status ??= Number(given);
    };
    this.#asker.ask(
      {
        method: 'POST',
        path: '/grpc.health.v1.Health/Check',
        authority: checkedName(this.#with.host, authority),
        headers,
        fields: {
          'content-type': 'application/grpc',
          te: 'trailers',
          'grpc-timeout': `${Math.trunc(this.#with.program.timeout)}m`,
        },
        body: frame(requestFor(serviceName)),
      },
      {
        onHead: (answer) => {
          http = answer[':status'] ?? 0;
          noteStatus(answer['grpc-status']);
        },
        onData: wellFormed,
        onTrailers: (trailers) => noteStatus(trailers['grpc-status']),
        onEnd: () => {
          const good = http === 200 && status === GrpcStatus.ok && serving === SERVING;
          this.#with.onResult(
            good ? { kind: 'success', degraded: false, status: 0 } : { kind: 'active', retriable: false, status: 0 },
          );
        },
        onReset: () => this.#with.onResult({ kind: 'network' }),
      },
    );
  }

  abandon(): void {
    this.#asker.close();
  }

  stop(): void {
    this.#asker.close();
  }
}

/** grpc.health.v1.HealthCheckRequest: the service's name is its one field. */
function requestFor(service: string): Buffer {
  if (service === '') return Buffer.alloc(0);
  const name = Buffer.from(service, 'utf8');
  const length: number[] = [];
  let rest = name.length;
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([0x0a, ...length, rest]), name]);
}

/** Field 1 of grpc.health.v1.HealthCheckResponse; others have not come about. */
function servingStatus(message: Buffer): number {
  return message[0] === 0x08 ? (message[1] ?? 0) : 0;
}
