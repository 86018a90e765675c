import { createHash, createPublicKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { FOUND } from './no-keys.ts';

test('the key that no token fits is on the curve, and its x is a hash', () => {
  expect(FOUND.key.x).toBe(createHash('sha256').update(FOUND.text).digest('base64url'));
  expect(createPublicKey({ key: FOUND.key, format: 'jwk' }).asymmetricKeyType).toBe('ec');
});
