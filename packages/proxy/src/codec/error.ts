/** Why a message was refused: Envoy's %RESPONSE_CODE_DETAILS%. */
export type CodecErrorDetails =
  | 'http1.codec_error'
  | 'http1.invalid_characters'
  | 'http1.invalid_url'
  | 'http1.invalid_scheme'
  | 'http1.https_url_on_plaintext_connection'
  | 'http1.invalid_transfer_encoding'
  | 'http1.content_length_and_chunked_not_allowed'
  | 'http1.connection_header_rejected'
  | 'http1.headers_too_large'
  | 'http1.too_many_headers'
  | 'http1.body_disallowed'
  | 'http1.unexpected_underscore'
  | 'http.invalid_authority'
  | 'low_version';

/** Status that answers a request refused for this reason. */
export function errorStatus(details: CodecErrorDetails): number {
  switch (details) {
    case 'http1.invalid_transfer_encoding':
      return 501;
    case 'low_version':
      return 426;
    case 'http1.https_url_on_plaintext_connection':
      return 403;
    case 'http1.headers_too_large':
    case 'http1.too_many_headers':
      return 431;
    default:
      return 400;
  }
}
