import type { types } from '@mizzen/xds';
import { compileFilterState } from '../../filter-state/match.ts';
import { filterStateOf } from '../../filter-state/state.ts';
import type { CompileContext } from '../context.ts';
import { compileCookie } from '../match/cookie.ts';
import { compileRequestHeader } from '../match/header.ts';
import { compileQuery } from '../match/query.ts';
import { compileRegex } from '../match/regex.ts';
import { exactMatch, prefixMatch } from '../match/string.ts';
import { uriTemplate, type UriTemplate } from '../match/uri-template.ts';
import { compileMetadata } from '../match/value.ts';
import type { Path } from '../path.ts';
import { liveFraction } from '../../runtime/live.ts';
import type { Condition } from './condition.ts';

/** The path part of a match, and what of the path it matched, for prefix rewrites. */
export interface PathMatch {
  readonly condition: Condition;
  /**
   * The beginning of the path that `prefixRewrite` replaces; undefined: the whole path. A path that only matched without
   * its parameters may not begin with it, and stays as it is.
   */
  readonly prefix: { readonly length: number; readonly begins: (path: string) => boolean } | undefined;
  readonly template: UriTemplate | undefined;
}

/** Path first: it is cheap and tells most routes apart. */
export function compileMatch(
  context: CompileContext,
  match: types.route.RouteMatch,
  path: Path,
  options: { readonly ignorePathParameters: boolean },
): { readonly conditions: readonly Condition[]; readonly path: PathMatch } {
  const pathMatch = compilePath(context, match, path, options.ignorePathParameters);
  const conditions: Condition[] = [pathMatch.condition];
  if (match.runtimeFraction !== undefined) {
    const chance = liveFraction(context.deps.runtime, match.runtimeFraction, 1);
    conditions.push({
      text: `the dice fall below ${chance.value * 100} %`,
      field: 'runtimeFraction',
      test: (_request, _path, _info, random) => random.float() < chance.value,
    });
  }
  if (match.grpc !== undefined) {
    conditions.push({
      text: 'the request is gRPC',
      field: 'grpc',
      test: (request) => {
        const type = request.headers.get('content-type');
        return (
          type !== undefined &&
          type.startsWith('application/grpc') &&
          (type.length === 16 || type.charCodeAt(16) === 43)
        );
      },
    });
  }
  (match.headers ?? []).forEach((matcher, i) => {
    const header = compileRequestHeader(context, matcher, [...path, 'headers', i]);
    conditions.push({ text: header.text, field: `headers[${i}]`, test: header.matches });
  });
  (match.queryParameters ?? []).forEach((matcher, i) => {
    const query = compileQuery(context, matcher, [...path, 'queryParameters', i]);
    conditions.push({
      text: query.text,
      field: `queryParameters[${i}]`,
      test: (request) => query.matches(request.path),
    });
  });
  (match.cookies ?? []).forEach((matcher, i) => {
    const cookie = compileCookie(context, matcher, [...path, 'cookies', i]);
    conditions.push({ text: cookie.text, field: `cookies[${i}]`, test: ({ headers }) => cookie.matches(headers) });
  });
  if (match.tlsContext?.presented !== undefined) {
    const wanted = match.tlsContext.presented;
    conditions.push({
      text: `the client ${wanted ? 'presented' : 'did not present'} a certificate`,
      field: 'tlsContext.presented',
      test: (_request, _path, { connection: { tls } }) =>
        (tls !== undefined && (tls.authenticated || tls.peerFingerprint !== '')) === wanted,
    });
  }
  if (match.tlsContext?.validated !== undefined) {
    const wanted = match.tlsContext.validated;
    conditions.push({
      text: `the client's certificate was ${wanted ? '' : 'not '}verified`,
      field: 'tlsContext.validated',
      test: (_request, _path, { connection: { tls } }) => (tls?.verified === true) === wanted,
    });
  }
  (match.dynamicMetadata ?? []).forEach((matcher, i) => {
    const metadata = compileMetadata(context, matcher, [...path, 'dynamicMetadata', i]);
    conditions.push({
      text: metadata.text,
      field: `dynamicMetadata[${i}]`,
      test: (_request, _path, info) => metadata.matches(info.dynamicMetadata),
    });
  });
  (match.filterState ?? []).forEach((matcher, i) => {
    const state = compileFilterState(context, matcher, [...path, 'filterState', i]);
    conditions.push({
      text: `filter state ${state.key} ${state.text}`,
      field: `filterState[${i}]`,
      test: (_request, _path, info) => state.matches(filterStateOf(info, state.key)),
    });
  });
  return { conditions, path: pathMatch };
}

/** `/a;b=c/d` counts as `/a/d`. */
function withoutParameters(path: string): string {
  return path.includes(';') ? path.replace(/;[^/]*/g, '') : path;
}

function compilePath(
  context: CompileContext,
  match: types.route.RouteMatch,
  path: Path,
  ignoreParameters: boolean,
): PathMatch {
  const ignoreCase = match.caseSensitive === false;
  const over = (test: (path: string) => boolean): Condition['test'] => {
    if (ignoreParameters) return (request, given) => request.path !== '' && test(withoutParameters(given));
    return (request, given) => request.path !== '' && test(given);
  };
  if (match.prefix !== undefined) {
    const wanted = match.prefix;
    const prefix = prefixMatch(wanted, ignoreCase);
    return {
      condition: {
        text: `path ${prefix.text}`,
        field: 'prefix',
        test: wanted === '/' && !ignoreParameters ? startsWithSlash : over(prefix.matches),
      },
      prefix: { length: Buffer.byteLength(wanted), begins: prefix.matches },
      template: undefined,
    };
  }
  if (match.path !== undefined) {
    const exact = exactMatch(match.path, ignoreCase);
    return {
      condition: { text: `path ${exact.text}`, field: 'path', test: over(exact.matches) },
      prefix: { length: Buffer.byteLength(match.path), begins: prefixMatch(match.path, ignoreCase).matches },
      template: undefined,
    };
  }
  if (match.pathSeparatedPrefix !== undefined) {
    const wanted = match.pathSeparatedPrefix;
    if (!/^[^?#]+[^?#/]$/.test(wanted)) {
      context.refuse(
        [...path, 'pathSeparatedPrefix'],
        'must have two characters, not end with `/`, and have neither `?` nor `#`',
      );
    }
    const prefix = prefixMatch(wanted, ignoreCase);
    const { length } = Buffer.from(wanted);
    return {
      condition: {
        text: `path is "${wanted}" or below it${ignoreCase ? ' (in any case)' : ''}`,
        field: 'pathSeparatedPrefix',
        test: over((given) => prefix.matches(given) && (given.length === length || given.charCodeAt(length) === 47)),
      },
      prefix: { length, begins: prefix.matches },
      template: undefined,
    };
  }
  if (match.safeRegex !== undefined) {
    const regex = compileRegex(context, match.safeRegex, [...path, 'safeRegex']);
    return {
      condition: {
        text: `path matches the regular expression "${match.safeRegex.regex}"`,
        field: 'safeRegex',
        test: over(regex?.matches ?? (() => false)),
      },
      prefix: undefined,
      template: undefined,
    };
  }
  if (match.connectMatcher !== undefined) {
    return {
      condition: {
        text: 'the method is CONNECT',
        field: 'connectMatcher',
        test: (request) => request.method === 'CONNECT',
      },
      prefix: undefined,
      template: undefined,
    };
  }
  if (match.pathMatchPolicy !== undefined)
    return compileTemplate(context, match.pathMatchPolicy, [...path, 'pathMatchPolicy']);
  context.refuse(path, 'must say which paths match');
  return { condition: { text: 'never', field: '', test: () => false }, prefix: undefined, template: undefined };
}

const startsWithSlash: Condition['test'] = (request) => request.path.charCodeAt(0) === 47;

function compileTemplate(context: CompileContext, policy: types.core.TypedExtensionConfig, path: Path): PathMatch {
  const config = policy.typedConfig as { readonly '@type': string; readonly pathTemplate?: string } | undefined;
  let template: UriTemplate | undefined;
  if (
    config === undefined ||
    !config['@type'].endsWith('/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig')
  ) {
    context.refuse([...path, 'typedConfig'], 'only a URI template is supported');
  } else {
    try {
      template = uriTemplate(config.pathTemplate ?? '');
    } catch (error) {
      context.refuse(
        [...path, 'typedConfig', 'pathTemplate'],
        `\`${config.pathTemplate ?? ''}\` ${(error as Error).message}`,
      );
    }
  }
  const matches = template?.matches ?? (() => false);
  return {
    condition: {
      text: `path matches the template "${template?.text}"`,
      field: 'pathMatchPolicy',
      test: (request, given) => request.path !== '' && matches(given),
    },
    prefix: undefined,
    template,
  };
}
