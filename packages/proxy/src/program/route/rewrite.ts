import type { types } from '@mizzen/xds';
import { text } from '../../telemetry/access-log-text.ts';
import type { RequestHead } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import { getRequestHeader } from '../match/header.ts';
import { pathOnly } from '../match/query.ts';
import { compileRegex } from '../match/regex.ts';
import { rewriteTemplate } from '../match/uri-template.ts';
import type { Path } from '../path.ts';
import type { LogSource } from '../types.ts';
import { asciiLower, wire } from '../values.ts';
import type { PathMatch } from './match.ts';

/** The new target (with query) for one that matched; undefined: it stays. */
export type PathRewrite = (target: string, source: LogSource | undefined) => string | undefined;
/** The new authority; empty: stays as it is. */
export type HostRewrite = (request: RequestHead, source: LogSource) => string;

export interface RewriteFields {
  readonly prefixRewrite?: string;
  readonly regexRewrite?: types.matcher.RegexMatchAndSubstitute;
  readonly pathRewritePolicy?: types.core.TypedExtensionConfig;
  /** A format of command operators. */
  readonly pathRewrite?: string;
}

/** The path rewrite of a route action or a redirect; undefined when there is none. */
export function compilePathRewrite(
  context: CompileContext,
  fields: RewriteFields,
  match: PathMatch,
  path: Path,
): PathRewrite | undefined {
  const { prefixRewrite: prefix, regexRewrite: regex, pathRewritePolicy: policy } = fields;
  const format = fields.pathRewrite === '' ? undefined : fields.pathRewrite;
  const given = [
    prefix !== undefined && prefix !== '',
    regex !== undefined,
    policy !== undefined,
    format !== undefined,
  ].filter(Boolean).length;
  if (given > 1) {
    context.refuse(
      path,
      'only one of `prefixRewrite`, `regexRewrite`, `pathRewritePolicy` and `pathRewrite` may be set',
    );
  }
  if (format !== undefined) {
    const make = text(context, format, '', [...path, 'pathRewrite']);
    return (target, source) => {
      const made = source === undefined ? '' : make(source);
      return made === '' ? undefined : made + target.slice(pathOnly(target).length);
    };
  }
  if (prefix !== undefined && prefix !== '') {
    if (match.template !== undefined) context.refuse([...path, 'prefixRewrite'], 'does not go with a path template');
    const start = wire(prefix);
    const { prefix: replaced } = match;
    if (replaced === undefined) return (target) => start + target.slice(pathOnly(target).length);
    return (target) => (replaced.begins(target) ? start + target.slice(replaced.length) : undefined);
  }
  if (regex !== undefined) {
    const compiled = compileRegex(context, regex.pattern, [...path, 'regexRewrite', 'pattern']);
    const substitution = regex.substitution ?? '';
    return compiled === undefined ? undefined : replacePath((only) => compiled.replaceAll(only, substitution));
  }
  return policy === undefined
    ? undefined
    : compileTemplateRewrite(context, policy, match, [...path, 'pathRewritePolicy']);
}

function replacePath(replace: (path: string) => string): PathRewrite {
  return (target) => {
    const only = pathOnly(target);
    const path = replace(only);
    // Nothing is no path to go to.
    return path === '' ? undefined : path + target.slice(only.length);
  };
}

function compileTemplateRewrite(
  context: CompileContext,
  policy: types.core.TypedExtensionConfig,
  match: PathMatch,
  path: Path,
): PathRewrite | undefined {
  const config = policy.typedConfig as { readonly '@type': string; readonly pathTemplateRewrite?: string } | undefined;
  if (
    config === undefined ||
    !config['@type'].endsWith('/envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig')
  ) {
    context.refuse([...path, 'typedConfig'], 'only a URI template is supported');
    return undefined;
  }
  const { template } = match;
  if (template === undefined) {
    context.refuse(path, 'needs a route that matches by a path template');
    return undefined;
  }
  try {
    const rewrite = rewriteTemplate(config.pathTemplateRewrite ?? '', template.variables);
    return replacePath((only) => template.rewrite(only, rewrite));
  } catch (error) {
    context.refuse([...path, 'typedConfig', 'pathTemplateRewrite'], (error as Error).message);
    return undefined;
  }
}

export function compileHostRewrite(
  context: CompileContext,
  action: types.route.RouteAction,
  path: Path,
): HostRewrite | undefined {
  if (action.hostRewriteLiteral !== undefined && action.hostRewriteLiteral !== '') {
    const host = wire(action.hostRewriteLiteral);
    return () => host;
  }
  if (action.hostRewriteHeader !== undefined && action.hostRewriteHeader !== '') {
    const name = asciiLower(action.hostRewriteHeader);
    const get =
      name.startsWith(':') || name === 'host'
        ? getRequestHeader(name)
        : (request: RequestHead) => request.headers.get(name);
    return (request) => get(request) ?? '';
  }
  if (action.hostRewritePathRegex !== undefined) {
    const regex = compileRegex(context, action.hostRewritePathRegex.pattern, [
      ...path,
      'hostRewritePathRegex',
      'pattern',
    ]);
    const substitution = action.hostRewritePathRegex.substitution ?? '';
    return regex === undefined ? undefined : (request) => regex.replaceAll(pathOnly(request.path), substitution);
  }
  if (action.hostRewrite !== undefined && action.hostRewrite !== '') {
    const make = text(context, action.hostRewrite, '-', [...path, 'hostRewrite']);
    return (_request, source) => make(source);
  }
  return undefined;
}

/** Changes the authority, remembering the old one where wanted. */
export function setAuthority(
  request: RequestHead,
  host: string,
  appendForwardedHost: boolean,
  keepOriginal: boolean,
): void {
  const old = request.authority;
  if (keepOriginal && old !== '') request.headers.set('x-envoy-original-host', old);
  if (appendForwardedHost && old !== '') {
    const forwarded = request.headers.get('x-forwarded-host');
    const last = forwarded?.slice(forwarded.lastIndexOf(',') + 1);
    if (last !== old) request.headers.append('x-forwarded-host', old);
  }
  request.authority = host;
}
