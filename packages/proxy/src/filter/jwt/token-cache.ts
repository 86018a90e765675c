import type { types } from '@mizzen/xds';
import type { Token } from './token.ts';

const DEFAULT_SIZE = 100;
const DEFAULT_MAX_TOKEN = 4096;

/** Tokens whose signatures were good: those used last. Without a configuration none are kept. */
export class TokenCache {
  readonly #size: number;
  readonly #maxToken: number;
  readonly #tokens = new Map<string, Token>();

  constructor(config: types.jwtAuthn.JwtCacheConfig | undefined) {
    this.#size = config === undefined ? 0 : config.jwtCacheSize || DEFAULT_SIZE;
    this.#maxToken = config?.jwtMaxTokenSize || DEFAULT_MAX_TOKEN;
  }

  find(text: string): Token | undefined {
    const found = this.#tokens.get(text);
    if (found === undefined) return undefined;
    this.#tokens.delete(text);
    this.#tokens.set(text, found);
    return found;
  }

  keep(token: Token): void {
    if (this.#size === 0 || token.text.length > this.#maxToken) return;
    this.#tokens.set(token.text, token);
    if (this.#tokens.size > this.#size) this.#tokens.delete(this.#tokens.keys().next().value!);
  }
}
