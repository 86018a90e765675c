import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import type { Cidr } from '../types.ts';
import { wire } from '../values.ts';
import { compileCidrs } from './cidr.ts';
import { compileString } from './string.ts';

/** Text of something that is looked at; undefined: it is not there, and matches nothing. */
export type Input<C> = (criteria: C) => string | undefined;
/** What a matcher decides on; undefined: nothing matched. */
export type Chooser<C, A> = (criteria: C) => A | undefined;

export interface Extension {
  readonly name?: string;
  readonly typedConfig?: { readonly '@type': string };
}

/** What a kind of matcher looks at, and what it decides on; undefined after a refusal. */
export interface MatcherKind<C, A> {
  input(context: CompileContext, input: Extension | undefined, path: Path): Input<C> | undefined;
  action(context: CompileContext, action: Extension | undefined, path: Path): A | undefined;
  /** Matches may be passed over (`keepMatching`). */
  readonly skips?: boolean;
  /** A predicate that is not about text; absent: there are no such. */
  custom?(
    context: CompileContext,
    input: Extension | undefined,
    matcher: Extension,
    path: Path,
  ): ((criteria: C) => boolean) | undefined;
}

type Predicate<C> = (criteria: C) => boolean;

interface OnMatch {
  readonly keepMatching?: boolean;
  readonly matcher?: MatcherConfig;
  readonly action?: Extension;
}
/** xds.type.matcher.v3.Matcher. */
export interface MatcherConfig {
  readonly matcherList?: {
    readonly matchers?: readonly { readonly predicate?: PredicateConfig; readonly onMatch?: OnMatch }[];
  };
  readonly matcherTree?: {
    readonly input?: Extension;
    readonly exactMatchMap?: { readonly map?: Readonly<Record<string, OnMatch>> };
    readonly prefixMatchMap?: { readonly map?: Readonly<Record<string, OnMatch>> };
    readonly customMatch?: Extension;
  };
  readonly onNoMatch?: OnMatch;
}
interface PredicateConfig {
  readonly singlePredicate?: {
    readonly input?: Extension;
    readonly valueMatch?: types.matcher.StringMatcher;
    readonly customMatch?: Extension;
  };
  readonly orMatcher?: { readonly predicate?: readonly PredicateConfig[] };
  readonly andMatcher?: { readonly predicate?: readonly PredicateConfig[] };
  readonly notMatcher?: PredicateConfig;
}
interface IpMatcher {
  readonly rangeMatchers?: readonly {
    readonly ranges?: readonly types.core.CidrRange[];
    readonly onMatch?: OnMatch;
    readonly exclusive?: boolean;
  }[];
}

interface DomainMatcher {
  readonly domainMatchers?: readonly { readonly domains?: readonly string[]; readonly onMatch?: OnMatch }[];
}

const DOMAINS = 'xds.type.matcher.v3.ServerNameMatcher';
const DOMAIN = /^(\*|(\*\.)?[^*]+)$/;
const IP_MATCHER = 'xds.type.matcher.v3.IPMatcher';

export function compileMatcher<C, A>(
  context: CompileContext,
  matcher: MatcherConfig,
  kind: MatcherKind<C, A>,
  path: Path,
): Chooser<C, A> {
  return new Compiler(context, kind).matcher(matcher, path);
}

class Compiler<C, A> {
  readonly #context: CompileContext;
  readonly #kind: MatcherKind<C, A>;

  constructor(context: CompileContext, kind: MatcherKind<C, A>) {
    this.#context = context;
    this.#kind = kind;
  }

  matcher(matcher: MatcherConfig, path: Path): Chooser<C, A> {
    const otherwise =
      matcher.onNoMatch === undefined ? () => undefined : this.#onMatch(matcher.onNoMatch, [...path, 'onNoMatch']);
    const { matcherList, matcherTree } = matcher;
    if (matcherTree !== undefined) {
      const tree = this.#tree(matcherTree, [...path, 'matcherTree']);
      return (criteria) => tree(criteria) ?? otherwise(criteria);
    }
    const list = (matcherList?.matchers ?? []).map(({ predicate = {}, onMatch = {} }, i) => {
      const at = [...path, 'matcherList', 'matchers', i];
      return {
        matches: this.#predicate(predicate, [...at, 'predicate']),
        choose: this.#onMatch(onMatch, [...at, 'onMatch']),
      };
    });
    return (criteria) => {
      for (const { matches, choose } of list) {
        const chosen = matches(criteria) ? choose(criteria) : undefined;
        if (chosen !== undefined) return chosen;
      }
      return otherwise(criteria);
    };
  }

  #onMatch({ matcher, action, keepMatching }: OnMatch, path: Path): Chooser<C, A> {
    if (keepMatching === true) {
      if (this.#kind.skips !== true) this.#context.refuse([...path, 'keepMatching'], 'nothing is passed over here');
      return () => undefined;
    }
    if (matcher !== undefined) return this.matcher(matcher, [...path, 'matcher']);
    const decided = this.#kind.action(this.#context, action, [...path, 'action']);
    return () => decided;
  }

  #input(input: Extension | undefined, path: Path): Input<C> {
    return this.#kind.input(this.#context, input, path) ?? (() => undefined);
  }

  #predicate(config: PredicateConfig, path: Path): Predicate<C> {
    const all = (predicates: readonly PredicateConfig[] | undefined, field: string): Predicate<C>[] =>
      (predicates ?? []).map((each, i) => this.#predicate(each, [...path, field, 'predicate', i]));
    if (config.orMatcher !== undefined) {
      const any = all(config.orMatcher.predicate, 'orMatcher');
      return (criteria) => any.some((matches) => matches(criteria));
    }
    if (config.andMatcher !== undefined) {
      const each = all(config.andMatcher.predicate, 'andMatcher');
      return (criteria) => each.every((matches) => matches(criteria));
    }
    if (config.notMatcher !== undefined) {
      const inner = this.#predicate(config.notMatcher, [...path, 'notMatcher']);
      return (criteria) => !inner(criteria);
    }
    const at = [...path, 'singlePredicate'];
    const { input, valueMatch, customMatch } = config.singlePredicate ?? {};
    if (customMatch !== undefined && this.#kind.custom !== undefined)
      return this.#kind.custom(this.#context, input, customMatch, at) ?? (() => false);
    if (customMatch !== undefined || valueMatch === undefined) {
      const field = customMatch === undefined ? 'valueMatch' : 'customMatch';
      this.#context.refuse([...at, field], 'only `valueMatch` is supported');
      return () => false;
    }
    const read = this.#input(input, [...at, 'input']);
    const { matches } = compileString(this.#context, valueMatch, [...at, 'valueMatch']);
    return (criteria) => {
      const value = read(criteria);
      return value !== undefined && matches(value);
    };
  }

  #tree(tree: NonNullable<MatcherConfig['matcherTree']>, path: Path): Chooser<C, A> {
    const read = this.#input(tree.input, [...path, 'input']);
    if (tree.customMatch !== undefined) return this.#ranges(read, tree.customMatch, [...path, 'customMatch']);
    const field = tree.exactMatchMap === undefined ? 'prefixMatchMap' : 'exactMatchMap';
    const map = new Map(
      Object.entries(tree[field]?.map ?? {}).map(([key, onMatch]) => [
        wire(key),
        this.#onMatch(onMatch, [...path, field, 'map', key]),
      ]),
    );
    if (map.size === 0) this.#context.refuse([...path, field], 'must not be empty');
    if (field === 'exactMatchMap') {
      return (criteria) => {
        const value = read(criteria);
        return value === undefined ? undefined : map.get(value)?.(criteria);
      };
    }
    const longestFirst = [...map].toSorted(([a], [b]) => b.length - a.length);
    return (criteria) => {
      const value = read(criteria);
      if (value === undefined) return undefined;
      for (const [prefix, choose] of longestFirst) {
        const chosen = value.startsWith(prefix) ? choose(criteria) : undefined;
        if (chosen !== undefined) return chosen;
      }
      return undefined;
    };
  }

  /** The narrowest range first; a wider one is asked when that has nothing to say, unless the wider one is exclusive. */
  #ranges(read: Input<C>, extension: Extension, path: Path): Chooser<C, A> {
    const at = [...path, 'typedConfig'];
    const config = extension.typedConfig;
    if (config !== undefined && messageOf(config['@type']) === DOMAINS)
      return this.#domains(read, (config as DomainMatcher).domainMatchers ?? [], [...at, 'domainMatchers']);
    if (config === undefined || messageOf(config['@type']) !== IP_MATCHER) {
      this.#context.refuse(at, `only ${IP_MATCHER} and ${DOMAINS} are supported`);
      return () => undefined;
    }
    const ranges = ((config as IpMatcher).rangeMatchers ?? []).flatMap((matcher, i) => {
      const here = [...at, 'rangeMatchers', i];
      const choose = this.#onMatch(matcher.onMatch ?? {}, [...here, 'onMatch']);
      return compileCidrs(this.#context, matcher.ranges, [...here, 'ranges']).map((cidr: Cidr) => ({
        cidr,
        choose,
        exclusive: matcher.exclusive === true,
      }));
    });
    const narrowest = ranges.toSorted((a, b) => b.cidr.prefixLength - a.cidr.prefixLength);
    return (criteria) => {
      const address = read(criteria);
      if (address === undefined) return undefined;
      let asked = false;
      for (const { cidr, choose, exclusive } of narrowest) {
        if ((asked && exclusive) || !cidr.contains(address)) continue;
        const chosen = choose(criteria);
        if (chosen !== undefined) return chosen;
        asked = true;
      }
      return undefined;
    };
  }

  /** The name itself first, then `*.` and ever less of it, then `*`. */
  #domains(read: Input<C>, matchers: NonNullable<DomainMatcher['domainMatchers']>, path: Path): Chooser<C, A> {
    const byDomain = new Map<string, Chooser<C, A>>();
    matchers.forEach(({ domains = [], onMatch = {} }, i) => {
      const choose = this.#onMatch(onMatch, [...path, i, 'onMatch']);
      if (domains.length === 0) this.#context.refuse([...path, i, 'domains'], 'must not be empty');
      domains.forEach((domain, j) => {
        const at = [...path, i, 'domains', j];
        if (!DOMAIN.test(domain)) this.#context.refuse(at, 'must be a name, `*.` before a name, or `*`');
        if (byDomain.has(domain)) this.#context.refuse(at, `\`${domain}\` is there twice`);
        byDomain.set(domain, choose);
      });
    });
    return (criteria) => {
      const name = read(criteria) ?? '';
      if (name === '') return undefined;
      let chosen = byDomain.get(name)?.(criteria);
      for (let dot = name.indexOf('.'); chosen === undefined && dot >= 0; dot = name.indexOf('.', dot + 1))
        chosen = byDomain.get(`*${name.slice(dot)}`)?.(criteria);
      return chosen ?? byDomain.get('*')?.(criteria);
    };
  }
}
