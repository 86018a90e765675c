/**
 * Envoy's API in protobuf's binary encoding, for the gRPC edge; everywhere else xDS is proto3 JSON as plain objects.
 * Not part of the package's main module: who does not speak gRPC does not load it.
 */
export { decode } from './decode.ts';
export { encode, EncodedAny } from './encode.ts';
export { XdsCodecError } from './error.ts';
export { MAX_BYTES, MAX_DEPTH } from './limits.ts';
