/** One request, ready to go. */
export interface Outgoing {
  readonly method: string;
  /** For gRPC the path is `/package.Service/Method`. */
  readonly url: URL;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | undefined;
  /** gRPC: the message as JSON. */
  readonly message: unknown;
  readonly timeoutMs: number;
  /** Whether anybody reads the body of the answer. */
  readonly keepBody: boolean;
  readonly disturb: Disturbance | undefined;
}

/** How a request is made hard on who answers it. */
export interface Disturbance {
  /** Gives up after this time, wherever the request is then. */
  readonly abortAfterMs?: number;
  /** Reads the answer no faster. */
  readonly readBytesPerSecond?: number;
  /** Sends the body no faster. */
  readonly sendBytesPerSecond?: number;
}

export interface Answer {
  /** `200`, or for gRPC `OK`. */
  readonly status: string;
  /** Below 400, or OK. */
  readonly ok: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty when it was not to be kept. */
  readonly body: Buffer;
}

export interface Outcome {
  /** Only when it came whole. */
  readonly answer: Answer | undefined;
  /** Why there is no answer, in words that are counted. */
  readonly error: string | undefined;
  /** Given up on purpose. */
  readonly aborted: boolean;
  /** It went on the wire, as far as can be told. */
  readonly sent: boolean;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Sends requests of one protocol to any number of origins; keeps connections between them. */
export interface Client {
  /** Never rejects. */
  send(outgoing: Outgoing): Promise<Outcome>;
  /**
   * Learns what it must know of a URL before the first request.
   * @throws Error in words for people
   */
  prepare?(url: URL): Promise<void>;
  /** Ends every connection; requests under way end with an error. */
  close(): Promise<void>;
}

export const NOTHING = Buffer.alloc(0);
