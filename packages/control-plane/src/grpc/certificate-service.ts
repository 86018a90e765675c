import { Metadata, status } from '@grpc/grpc-js';
import type { ServerUnaryCall, ServiceDefinition, sendUnaryData } from '@grpc/grpc-js';
import { certify, DAY } from '../ca/authority.ts';
import { readRequest } from '../ca/csr.ts';
import { CaError } from '../ca/error.ts';
import { spiffeId } from '../ca/identity.ts';
import type { Identity } from '../ca/identity.ts';
import type { Root } from '../ca/root.ts';
import type { Clock } from '../clock.ts';
import type { CertificateObserver } from '../metrics/observer.ts';
import { Refused } from './options.ts';
import type { Peer } from './peer.ts';
import { WireError, field, fieldsOf, textOf } from './wire.ts';

const raw = (message: Buffer): Buffer => message;
const CERTIFICATES: ServiceDefinition = {
  createCertificate: {
    path: '/istio.v1.auth.IstioCertificateService/CreateCertificate',
    requestStream: false,
    responseStream: false,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  },
};

export interface CertificateServiceOptions {
  readonly root: Root;
  readonly clock: Clock;
  /** @throws Refused */
  readonly authenticate: (peer: Peer) => Promise<Identity>;
  readonly peerOf: (call: ServerUnaryCall<Buffer, Buffer>) => Peer;
  /** Life of a certificate in milliseconds when the request says none; 24 hours unless given. */
  readonly lifetime?: number;
  readonly onIssued?: (identity: string, notAfter: number) => void;
  readonly onProblem?: (message: string) => void;
  readonly observer?: CertificateObserver | undefined;
}

/** No certificate lives longer, as in Istio (MAX_WORKLOAD_CERT_TTL). Milliseconds. */
export const LONGEST_LIFETIME = 90 * DAY;
/** Below this a proxy would do little but renew its certificate. */
const SHORTEST_LIFETIME = 60_000;

/**
 * istio.v1.auth.IstioCertificateService: signs the key of a certificate request for whoever asks, as whom it proved to be;
 * names in the request do not count.
 */
export function certificateService(options: CertificateServiceOptions): {
  readonly definition: ServiceDefinition;
  readonly implementation: {
    createCertificate(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): Promise<void>;
  };
} {
  return {
    definition: CERTIFICATES,
    implementation: {
      async createCertificate(call, done) {
        let answer: Buffer;
        try {
          answer = await createCertificate(call, options);
        } catch (error) {
          options.observer?.onFailure(reasonOf(error));
          done({ ...statusOf(error, options), metadata: new Metadata() });
          return;
        }
        done(null, answer);
      },
    },
  };
}

async function createCertificate(
  call: ServerUnaryCall<Buffer, Buffer>,
  { root, clock, authenticate, peerOf, lifetime = DAY, onIssued, observer }: CertificateServiceOptions,
): Promise<Buffer> {
  observer?.onRequest();
  const identity = await authenticate(peerOf(call));
  const { csr, seconds } = readMessage(call.request);
  const asked = seconds * 1000;
  if (asked > LONGEST_LIFETIME) {
    throw new Refused(
      status.INVALID_ARGUMENT,
      `a certificate lives ${LONGEST_LIFETIME / 1000} seconds at most, not ${seconds}`,
    );
  }
  if (asked > 0 && asked < SHORTEST_LIFETIME) {
    throw new Refused(
      status.INVALID_ARGUMENT,
      `a certificate lives ${SHORTEST_LIFETIME / 1000} seconds at least, not ${seconds}`,
    );
  }
  const key = readRequest(csr);
  const uri = spiffeId(identity);
  const issued = certify(root, key, { uri }, clock.wall(), asked === 0 ? lifetime : asked);
  observer?.onIssued();
  onIssued?.(uri, issued.notAfter);
  return Buffer.concat([issued.chain, root.pem].flatMap((pem) => field(1, Buffer.from(pem))));
}

/** istio.v1.auth.IstioCertificateRequest */
function readMessage(message: Buffer): { readonly csr: string; readonly seconds: number } {
  let [csr, seconds] = ['', 0];
  for (const { number, bytes, integer } of fieldsOf(message)) {
    if (number === 1) csr = textOf(bytes);
    else if (number === 3) seconds = integer;
  }
  // A negative number has all its upper bits set.
  return { csr, seconds: seconds >= 2 ** 63 ? 0 : seconds };
}

function reasonOf(error: unknown): Parameters<CertificateObserver['onFailure']>[0] {
  if (error instanceof Refused) return error.code === status.INVALID_ARGUMENT ? 'parsing' : 'authentication';
  return error instanceof CaError || error instanceof WireError ? 'parsing' : 'signing';
}

function statusOf(
  error: unknown,
  { onProblem }: CertificateServiceOptions,
): { readonly code: status; readonly details: string } {
  if (error instanceof Refused) return { code: error.code, details: error.message };
  if (error instanceof CaError || error instanceof WireError) {
    return { code: status.INVALID_ARGUMENT, details: error.message };
  }
  onProblem?.(
    `a certificate could not be issued: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return { code: status.INTERNAL, details: 'an error of the control plane; its log says more' };
}
