/** What a client's Accept-Encoding comes to. */
export type Choice =
  | { readonly kind: 'identity' | 'not-valid' }
  /** `wildcard`: the client takes anything. */
  | { readonly kind: 'compressor' | 'wildcard'; readonly encoding: string };

export interface Candidate {
  readonly encoding: string;
  /** Before others that the client likes as much. */
  readonly first: boolean;
}

/** Chooses among the compressors of a filter chain, in its order. */
export function chooseEncoding(accepted: string, candidates: readonly Candidate[]): Choice {
  if (candidates.length === 0) return { kind: 'not-valid' };
  let best: { readonly name: string; readonly quality: number; readonly first: boolean } | undefined;
  for (const token of accepted.split(',')) {
    const [encoding = '', ...parameters] = token.split(';').map((part) => part.trim());
    const given = parameters.find((parameter) => /^q=/i.test(parameter))?.slice(2);
    const quality = given === undefined ? 1 : /^\d*\.?\d*$/.test(given) && given !== '' ? Number(given) : 0;
    const candidate = candidates.find((each) => each.encoding === encoding);
    if (candidate === undefined && encoding !== 'identity' && encoding !== '*') continue;
    const first = candidate?.first === true;
    const better = best === undefined || quality > best.quality || (quality === best.quality && first && !best.first);
    if (quality > 0 && better) best = { name: encoding, quality, first };
  }
  if (best === undefined) return { kind: 'not-valid' };
  if (best.name === 'identity') return { kind: 'identity' };
  if (best.name === '*') return { kind: 'wildcard', encoding: candidates[0]!.encoding };
  return { kind: 'compressor', encoding: best.name };
}
