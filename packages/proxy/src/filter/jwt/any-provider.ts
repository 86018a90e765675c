import type { HttpStream } from '../../types.ts';
import { findTokens, inOrder, type FoundToken } from './extract.ts';
import type { Provider } from './provider.ts';
import { Status } from './status.ts';
import { parseToken, type Token } from './token.ts';

/**
 * Checks the tokens of every provider, where no rule says of whom they are to be: each token is its issuer's, if that
 * issuer may use the place it was found in. All are looked at, from the last, whatever comes of them; the outcome of the
 * first is the outcome.
 */
export function checkAnyProvider(providers: readonly Provider[]): (stream: HttpStream) => Status | Promise<Status> {
  const issuers = new Map<string, Set<string>>();
  for (const { issuer, locations } of providers) {
    for (const { key } of locations) issuers.set(key, (issuers.get(key) ?? new Set()).add(issuer));
  }
  const locations = inOrder(providers.flatMap((provider) => provider.locations));
  const lone = providers.length === 1 ? providers[0] : undefined;
  const providerOf = ({ location }: FoundToken, { issuer }: Token): Provider | undefined => {
    const allowed = issuers.get(location.key);
    if (allowed === undefined || !(allowed.has(issuer) || allowed.has(''))) return undefined;
    return providers.find((p) => p.issuer === issuer) ?? providers.find((p) => p.issuer === '');
  };

  const from = (
    stream: HttpStream,
    tokens: readonly FoundToken[],
    index: number,
    before: Status,
    previous: Provider | undefined,
  ): Status | Promise<Status> => {
    let outcome = before;
    let provider = previous;
    for (let i = index; i < tokens.length; i++) {
      const found = tokens[i]!;
      const token = parseToken(found.text);
      const its = typeof token === 'string' ? undefined : providerOf(found, token);
      // As in Envoy, what is wrong with a token of nobody is said of the provider of the one before.
      provider = its ?? provider;
      let status: Status | Promise<Status>;
      if (typeof token === 'string') status = token;
      else if (its === undefined) status = Status.UnknownIssuer;
      else status = its.judge(stream, token, found.location, its.audiences);
      if (status instanceof Promise) {
        return status.then((s) => {
          provider?.note(stream, s);
          return from(stream, tokens, i + 1, s, provider);
        });
      }
      provider?.note(stream, status);
      outcome = status;
    }
    return outcome;
  };
  return (stream) => {
    const tokens = findTokens(locations, stream.request).toReversed();
    if (tokens.length === 0) lone?.note(stream, Status.Missed);
    return from(stream, tokens, 0, Status.Missed, lone);
  };
}
