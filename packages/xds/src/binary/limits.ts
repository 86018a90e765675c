/** How deep messages may lie in each other, counting what an Any, a Struct or a Value holds: what Envoy itself reads. */
export const MAX_DEPTH = 100;

/** The largest message that is read or written, in bytes. A server that takes messages from anybody sets less. */
export const MAX_BYTES = 64 << 20;
