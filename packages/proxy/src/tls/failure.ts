/**
 * How Envoy words a failed handshake in %UPSTREAM_TRANSPORT_FAILURE_REASON%: BoringSSL's packed error number, the names
 * of library and reason, and what the verifier adds. OpenSSL fails for the same causes under other numbers.
 */
const SSL = 0x10000000;
const CERTIFICATE_VERIFY_FAILED = 125;

export const SECRET_MISSING = 'TLS error: Secret is not supplied by SDS';

/** OpenSSL does not take what a handshake is to be made with. */
export function unusable(error: unknown): string {
  return `TLS error: ${error instanceof Error ? error.message : String(error)}`;
}

/** No certificate may be shown to this client. */
export const SELECTION_FAILED = reason(133, 'CONNECTION_REJECTED');

export function verifyFailure(detail: string): string {
  return reason(CERTIFICATE_VERIFY_FAILED, `CERTIFICATE_VERIFY_FAILED:verify cert failed: ${detail}`);
}

/** A name is demanded of a certificate that is held against nothing. */
export const NOBODY_VOUCHES = reason(CERTIFICATE_VERIFY_FAILED, 'CERTIFICATE_VERIFY_FAILED');

/**
 * `code` and `message` as on the error that a TLSSocket emitted; `unanswered`: of a client that has heard nothing yet.
 * Undefined: the handshake was cut off without a word.
 */
export function handshakeFailure(
  error: { readonly code?: string | undefined; readonly message: string },
  unanswered = false,
): string | undefined {
  const { code } = error;
  if (code === undefined || !code.startsWith('ERR_SSL_')) return undefined;
  const name = code.slice('ERR_SSL_'.length);
  const alert = /SSL alert number (\d+)/.exec(error.message);
  if (alert !== null) {
    const number = Number(alert[1]);
    if (unanswered && number === HANDSHAKE_FAILURE) return NOTHING_IN_COMMON;
    return alertReason(number, name);
  }
  const [number, text] = REASONS[name] ?? [0, name];
  return number === 0 ? `TLS_error:${text}:TLS_error_end` : reason(number, text);
}

/**
 * How many errors Envoy counts for one of a connection that was secure: its peer's alert is one; what is no TLS at all
 * makes its farewell fail, too.
 */
export function laterErrors(error: NodeJS.ErrnoException): number {
  if (error.code?.startsWith('ERR_SSL_') !== true) return 0;
  return error.message.includes('SSL alert number') ? 1 : 2;
}

const HANDSHAKE_FAILURE = 40;

/** The peer has sent that alert. */
export function alertReason(number: number, otherwise = `TLS_ALERT_${number}`): string {
  return reason(1000 + number, ALERTS[number] ?? otherwise);
}

export function reason(number: number, text: string): string {
  return `TLS_error:|${SSL + number}:SSL routines:OPENSSL_internal:${text}:TLS_error_end`;
}

/** An alert in clear text where BoringSSL expects an encrypted one. */
export const NOT_ENCRYPTED = reason(112, 'BAD_PACKET_LENGTH').replace(
  ':TLS_error_end',
  `|${SSL + 139}:SSL routines:OPENSSL_internal:DECRYPTION_FAILED_OR_BAD_RECORD_MAC:TLS_error_end`,
);

export const NO_CIPHER = reason(184, 'NO_SHARED_CIPHER');
export const NO_SIGNATURE = reason(253, 'NO_COMMON_SIGNATURE_ALGORITHMS');
export const NO_VERSIONS = reason(280, 'NO_SUPPORTED_VERSIONS_ENABLED');

/** The curve of the certificate's key is none that the client takes. */
export const WRONG_CURVE = reason(243, 'WRONG_CURVE');

/** BoringSSL has a second reason when a server takes nothing of what it is offered. */
const NOTHING_IN_COMMON = reason(1040, 'SSLV3_ALERT_HANDSHAKE_FAILURE').replace(
  ':TLS_error_end',
  `|${SSL + 154}:SSL routines:OPENSSL_internal:HANDSHAKE_FAILURE_ON_CLIENT_HELLO:TLS_error_end`,
);

/** OpenSSL's name of a reason → BoringSSL's number and name. */
const REASONS: Readonly<Record<string, readonly [number, string]>> = {
  WRONG_VERSION_NUMBER: [247, 'WRONG_VERSION_NUMBER'],
  PACKET_LENGTH_TOO_LONG: [247, 'WRONG_VERSION_NUMBER'],
  HTTP_REQUEST: [156, 'HTTP_REQUEST'],
  HTTPS_PROXY_REQUEST: [155, 'HTTPS_PROXY_REQUEST'],
  UNSUPPORTED_PROTOCOL: [240, 'UNSUPPORTED_PROTOCOL'],
  NO_SHARED_CIPHER: [184, 'NO_SHARED_CIPHER'],
  NO_PROTOCOLS_AVAILABLE: [175, 'NO_CIPHERS_AVAILABLE'],
  NO_CIPHERS_AVAILABLE: [175, 'NO_CIPHERS_AVAILABLE'],
  PEER_DID_NOT_RETURN_A_CERTIFICATE: [
    192,
    'PEER_DID_NOT_RETURN_A_CERTIFICATE:peer did not provide required client certificate',
  ],
  UNEXPECTED_MESSAGE: [223, 'UNEXPECTED_MESSAGE'],
  INAPPROPRIATE_FALLBACK: [157, 'INAPPROPRIATE_FALLBACK'],
  NO_SUITABLE_KEY_SHARE: [266, 'NO_SHARED_GROUP'],
  NO_SUITABLE_SIGNATURE_ALGORITHM: [253, 'NO_COMMON_SIGNATURE_ALGORITHMS'],
  BAD_SIGNATURE: [108, 'BAD_SIGNATURE'],
  DECRYPTION_FAILED_OR_BAD_RECORD_MAC: [139, 'DECRYPTION_FAILED_OR_BAD_RECORD_MAC'],
};

/** Alert numbers of RFC 8446, 6 under BoringSSL's names. */
const ALERTS: Readonly<Record<number, string>> = {
  0: 'SSLV3_ALERT_CLOSE_NOTIFY',
  10: 'SSLV3_ALERT_UNEXPECTED_MESSAGE',
  20: 'SSLV3_ALERT_BAD_RECORD_MAC',
  22: 'TLSV1_ALERT_RECORD_OVERFLOW',
  40: 'SSLV3_ALERT_HANDSHAKE_FAILURE',
  42: 'SSLV3_ALERT_BAD_CERTIFICATE',
  43: 'SSLV3_ALERT_UNSUPPORTED_CERTIFICATE',
  44: 'SSLV3_ALERT_CERTIFICATE_REVOKED',
  45: 'SSLV3_ALERT_CERTIFICATE_EXPIRED',
  46: 'SSLV3_ALERT_CERTIFICATE_UNKNOWN',
  47: 'SSLV3_ALERT_ILLEGAL_PARAMETER',
  48: 'TLSV1_ALERT_UNKNOWN_CA',
  49: 'TLSV1_ALERT_ACCESS_DENIED',
  50: 'TLSV1_ALERT_DECODE_ERROR',
  51: 'TLSV1_ALERT_DECRYPT_ERROR',
  70: 'TLSV1_ALERT_PROTOCOL_VERSION',
  71: 'TLSV1_ALERT_INSUFFICIENT_SECURITY',
  80: 'TLSV1_ALERT_INTERNAL_ERROR',
  86: 'TLSV1_ALERT_INAPPROPRIATE_FALLBACK',
  90: 'TLSV1_ALERT_USER_CANCELLED',
  100: 'TLSV1_ALERT_NO_RENEGOTIATION',
  109: 'TLSV1_ALERT_MISSING_EXTENSION',
  110: 'TLSV1_ALERT_UNSUPPORTED_EXTENSION',
  112: 'TLSV1_ALERT_UNRECOGNIZED_NAME',
  116: 'TLSV1_ALERT_CERTIFICATE_REQUIRED',
  120: 'TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
};

const CRL = 'certificate revocation check against provided CRLs failed: ';

/** Node's verification codes in the words of X509_verify_cert_error_string. */
const VERIFICATION: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: 'unable to get issuer certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unable to get local issuer certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unable to get local issuer certificate',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not yet valid',
  CERT_REVOKED: `${CRL}certificate revoked`,
  CERT_SIGNATURE_FAILURE: 'certificate signature failure',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self signed certificate in certificate chain',
  INVALID_PURPOSE: 'unsupported certificate purpose',
  INVALID_CA: 'invalid CA certificate',
  PATH_LENGTH_EXCEEDED: 'path length constraint exceeded',
  CERT_CHAIN_TOO_LONG: 'certificate chain too long',
  UNABLE_TO_GET_CRL: `${CRL}unable to get certificate CRL`,
  CRL_HAS_EXPIRED: `${CRL}CRL has expired`,
  CRL_NOT_YET_VALID: `${CRL}CRL is not yet valid`,
  CRL_SIGNATURE_FAILURE: `${CRL}CRL signature failure`,
};

/** `depth`: of the certificate that is to blame, the peer's own being 0. */
export function chainFailure(code: string, depth = code === 'SELF_SIGNED_CERT_IN_CHAIN' ? 1 : 0): string {
  return verifyFailure(
    `X509_verify_cert: certificate verification error at depth ${depth}: ${VERIFICATION[code] ?? code}`,
  );
}
