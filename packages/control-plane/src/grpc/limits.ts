/** What one client may cost. Real proxies stay far below; a hostile one is stopped before it costs others anything. */
export const LIMITS = {
  /** Bytes of one request. Envoy's first one is about 100 kB: it lists its extensions. */
  requestBytes: 4 * 1024 * 1024,
  /** Bytes of the metadata in a node. */
  metadataBytes: 256 * 1024,
  /** Characters of a node's id, and of a resource's name. */
  nameLength: 4096,
  /** Names that one stream follows, all types together. */
  names: 100_000,
  /** Requests that may come at once, and per second after that; more wait in the client's own buffers. */
  requestBurst: 2000,
  requestsPerSecond: 200,
  /** Calls under way on one connection. */
  callsPerConnection: 128,
  connections: 2000,
  /** Calls under way on all connections of a port together. Each stands for a proxy with a configuration of its own. */
  calls: 4000,
  /** While more bytes than this wait to be written on a stream, nothing is added: what changes meanwhile is merged. */
  unwrittenBytes: 512 * 1024,
  /** The same of all streams together; and the milliseconds after which a client that does not read no longer counts. */
  unwrittenTotal: 32 * 1024 * 1024,
  unwrittenPatience: 5000,
  /** Milliseconds in which a new call must say which node it is for. */
  firstRequest: 30_000,
  /** Milliseconds after which a silent connection is asked whether it is alive, and then is given up. */
  keepalive: 30_000,
  keepaliveTimeout: 10_000,
  /** Milliseconds after which a client that proved who it is has to do so again, and how long its calls go on then. */
  connectionAge: 30 * 60_000,
  connectionAgeGrace: 10_000,
} as const;
