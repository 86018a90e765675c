import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import { compileRequestHeader } from '../../program/match/header.ts';
import { pathOnly } from '../../program/match/query.ts';
import { compileString } from '../../program/match/string.ts';
import { compileMetadata } from '../../program/match/value.ts';
import type { Path } from '../../program/path.ts';
import type { Rule } from './rule.ts';

export function headerRule(context: CompileContext, matcher: types.route.HeaderMatcher, path: Path): Rule {
  const header = compileRequestHeader(context, matcher, path);
  return { text: header.text, test: (_connection, request) => header.matches(request) };
}

export function pathTest(text: string, matches: (path: string) => boolean): Rule {
  return { text, test: (_connection, request) => request.path !== '' && matches(pathOnly(request.path)) };
}

export function pathRule(context: CompileContext, matcher: types.matcher.PathMatcher, path: Path): Rule {
  const value = compileString(context, matcher.path ?? {}, [...path, 'path']);
  return pathTest(`path ${value.text}`, value.matches);
}

export function metadataRule(
  context: CompileContext,
  matcher: types.matcher.MetadataMatcher,
  source: 'DYNAMIC' | 'ROUTE',
  path: Path,
): Rule {
  const metadata = compileMetadata(context, matcher, path);
  if (source === 'ROUTE')
    return { text: `route ${metadata.text}`, test: (_c, _r, info) => metadata.matches(info?.routeMetadata) };
  return {
    text: metadata.text,
    test: (connection, _r, info) =>
      metadata.matches(info === undefined ? connection.listenerMetadata : info.dynamicMetadata),
  };
}
