import type { JsonObject, JsonValue } from '@mizzen/xds';
import { base64url } from './base64url.ts';
import { parseObject } from './json.ts';
import { Status } from './status.ts';

/** A token that is well formed; nothing about it is true yet. */
export interface Token {
  /** All of it. */
  readonly text: string;
  readonly alg: string;
  readonly kid: string;
  readonly header: JsonObject;
  readonly payload: JsonObject;
  /** As it came: what `forwardPayloadHeader` passes on. */
  readonly payloadText: string;
  readonly issuer: string;
  readonly subject: string;
  readonly audiences: readonly string[];
  /** Seconds since the epoch; 0: not said. */
  readonly issuedAt: number;
  readonly notBefore: number;
  readonly expires: number;
  /** What the signature is over, and the signature. */
  readonly signed: string;
  readonly signature: Buffer;
}

const ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'HS256',
  'HS384',
  'HS512',
  'EdDSA',
];

export function parseToken(text: string): Token | Status {
  const parts = text.split('.').filter((part) => part !== '');
  if (parts.length !== 3) return Status.BadFormat;
  const [headerText = '', payloadText = '', signatureText = ''] = parts;
  const headerBytes = base64url(headerText);
  if (headerBytes === undefined) return Status.HeaderBadBase64;
  const header = parseObject(headerBytes);
  if (header === undefined) return Status.HeaderBadJson;
  const alg = header['alg'];
  if (typeof alg !== 'string') return Status.HeaderBadAlg;
  if (!ALGORITHMS.includes(alg)) return Status.HeaderNotImplementedAlg;
  const kid = header['kid'];
  if (kid !== undefined && typeof kid !== 'string') return Status.HeaderBadKid;

  const payloadBytes = base64url(payloadText);
  if (payloadBytes === undefined) return Status.PayloadBadBase64;
  const payload = parseObject(payloadBytes);
  if (payload === undefined) return Status.PayloadBadJson;
  const { iss, sub, jti } = payload;
  if (iss !== undefined && typeof iss !== 'string') return Status.PayloadIssNotString;
  if (sub !== undefined && typeof sub !== 'string') return Status.PayloadSubNotString;
  const issuedAt = seconds(payload['iat']);
  if (issuedAt === 'type') return Status.PayloadIatNotInteger;
  if (issuedAt === 'range') return Status.PayloadIatOutOfRange;
  const notBefore = seconds(payload['nbf']);
  if (notBefore === 'type') return Status.PayloadNbfNotInteger;
  if (notBefore === 'range') return Status.PayloadNbfOutOfRange;
  const expires = seconds(payload['exp']);
  if (expires === 'type') return Status.PayloadExpNotInteger;
  if (expires === 'range') return Status.PayloadExpOutOfRange;
  if (jti !== undefined && typeof jti !== 'string') return Status.PayloadJtiNotString;
  const audiences = audienceList(payload['aud']);
  if (audiences === undefined) return Status.PayloadAudNotString;

  const signature = base64url(signatureText);
  if (signature === undefined) return Status.SignatureBadBase64;
  return {
    text,
    alg,
    kid: kid ?? '',
    header,
    payload,
    payloadText,
    issuer: iss ?? '',
    subject: sub ?? '',
    audiences,
    issuedAt,
    notBefore,
    expires,
    signed: `${headerText}.${payloadText}`,
    signature,
  };
}

function seconds(value: JsonValue | undefined): number | 'type' | 'range' {
  if (value === undefined) return 0;
  if (typeof value !== 'number') return 'type';
  return value < 0 || value >= 2 ** 64 ? 'range' : Math.trunc(value);
}

function audienceList(value: JsonValue | undefined): readonly string[] | undefined {
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return undefined;
  const list = value as readonly JsonValue[];
  return list.every((item) => typeof item === 'string') ? (list as readonly string[]) : undefined;
}
