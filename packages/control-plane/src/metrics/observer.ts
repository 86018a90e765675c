/** Told of what the xDS server does, for whoever counts it. Times in milliseconds. */
export interface XdsObserver {
  /** A response left; `bytes` is the size of its resources as they are sent. */
  onSent(typeUrl: string, bytes: number, milliseconds: number): void;
  onRefused(typeUrl: string): void;
  /** A request answered a response that is not the last of its type. */
  onExpiredNonce(typeUrl: string): void;
  /** One proxy has answered all that a change meant for it. */
  onConverged(milliseconds: number): void;
}

/** Told of certificates. */
export interface CertificateObserver {
  /** Somebody asked for one with a request of its own. */
  onRequest(): void;
  onIssued(): void;
  onFailure(reason: 'authentication' | 'parsing' | 'signing'): void;
}
