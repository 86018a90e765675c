import type { types } from '@mizzen/xds';
import { MAX_CLIENT_HELLO, readClientHello, type ClientHello } from '../../tls/client-hello.ts';
import { ja3, ja4 } from '../../tls/fingerprint.ts';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { Step } from '../../listener/inspect.ts';

/** Before that Envoy does not look. */
const RECORD_HEADER = 5;
const HANDSHAKE = 22;
const MAJOR = 3;
const NAME = 'envoy.filters.listener.tls_inspector';

/** The TLS inspector listener filter: what a ClientHello says, for the choice of a filter chain. */
export function compileTlsInspector(
  context: CompileContext,
  config: types.tlsInspector.TlsInspector,
  path: Path,
): Step {
  const max = config.maxClientHelloSize ?? MAX_CLIENT_HELLO;
  if (max <= 255 || max > MAX_CLIENT_HELLO)
    context.refuse([...path, 'maxClientHelloSize'], `must be 256 to ${MAX_CLIENT_HELLO}`);
  const initial = config.initialReadBufferSize;
  if (initial !== undefined && (initial <= 255 || initial > MAX_CLIENT_HELLO))
    context.refuse([...path, 'initialReadBufferSize'], `must be 256 to ${MAX_CLIENT_HELLO}`);
  const counter = (name: string): { value: number } => context.deps.counter(`tls_inspector.${name}`);
  const counts = {
    tooLarge: counter('client_hello_too_large'),
    found: counter('tls_found'),
    notFound: counter('tls_not_found'),
    alpnFound: counter('alpn_found'),
    alpnNotFound: counter('alpn_not_found'),
    sniFound: counter('sni_found'),
    sniNotFound: counter('sni_not_found'),
  };
  const read = context.deps.tagged?.get('histogram', 'tls_inspector.bytes_processed', []).histogram;
  const count = (hello: ClientHello): void => {
    counts.found.value++;
    (hello.applicationProtocols.length > 0 ? counts.alpnFound : counts.alpnNotFound).value++;
    (hello.serverName !== '' ? counts.sniFound : counts.sniNotFound).value++;
  };
  const failed = (found: Parameters<Step>[1], why: string): void => {
    found.metadata = { ...found.metadata, [NAME]: { failure_reason: why } };
  };
  return (bytes, found) => {
    if (bytes.length < RECORD_HEADER) return 'more';
    const result = readClientHello(bytes);
    if (result.kind === 'hello' && bytes.length <= max) {
      count(result.hello);
      read?.record(bytes.length);
      found.hello = result.hello;
      if (config.enableJa3Fingerprinting === true) found.ja3 = ja3(result.hello);
      if (config.enableJa4Fingerprinting === true) found.ja4 = ja4(result.hello);
      return 0;
    }
    // What is malformed within is noticed once all of it is there.
    const large = bytes.length > max && bytes[0] === HANDSHAKE && bytes[1] === MAJOR;
    if (result.kind === 'not-tls' && !large) {
      counts.notFound.value++;
      failed(found, 'ClientHelloNotDetected');
      found.notTls = parsingFailure(bytes);
      if (config.closeConnectionOnClientHelloParsingErrors !== true) return 0;
      found.failure = found.notTls;
      return 'close';
    }
    if (bytes.length < max) return 'more';
    counts.tooLarge.value++;
    failed(found, 'ClientHelloTooLarge');
    return 'close';
  };
}

/** As Envoy logs it. */
function parsingFailure(bytes: Buffer): string {
  const start = bytes.toString('latin1', 0, 5);
  const [code, name] = /^(?:GET |POST |HEAD |PUT )/.test(start)
    ? ['9c', 'HTTP_REQUEST']
    : start === 'CONNE'
      ? ['9b', 'HTTPS_PROXY_REQUEST']
      : bytes[1] === MAJOR
        ? bytes.length >= 9 && bytes.readUIntBE(6, 3) > MAX_CLIENT_HELLO
          ? ['96', 'EXCESSIVE_MESSAGE_SIZE']
          : ['89', 'DECODE_ERROR']
        : ['f7', 'WRONG_VERSION_NUMBER'];
  return `TLS_error|error:100000${code}:SSL routines:OPENSSL_internal:${name}:TLS_error_end`;
}
