import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TOKEN_AUDIENCE, readTokenKeys } from '@mizzen/control-plane/grpc/index.ts';

type TokenKeys = ReturnType<typeof readTokenKeys>;

/**
 * The public key of the control plane's own issuer of tokens, `issuer/key.json` in the state directory, made the first
 * time; `mizzen token --issuer-dir` signs with it. Who can read it can be any proxy, so only this user can.
 */
export function ownTokenKeys(stateDir: string): TokenKeys {
  const directory = join(stateDir, 'issuer');
  const file = join(directory, 'key.json');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = { ...privateKey.export({ format: 'jwk' }), kid: 'mizzen' };
    const text = JSON.stringify({ issuer: 'mizzen', audience: TOKEN_AUDIENCE, key }, undefined, 2);
    writeFileSync(file, `${text}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const { key } = JSON.parse(readFileSync(file, 'utf8')) as { readonly key?: unknown };
  return readTokenKeys(JSON.stringify(key ?? {}));
}

/** @throws Error that names the file. */
export function readTokenKeyFiles(files: readonly string[]): TokenKeys {
  return files.flatMap((file) => {
    try {
      return readTokenKeys(readFileSync(file, 'utf8'));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`cannot use the token keys in \`${file}\`: ${reason}`, { cause: error });
    }
  });
}
