import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import { compileString } from '../../program/match/string.ts';
import type { Path } from '../../program/path.ts';
import { liveFlag } from '../../runtime/live.ts';
import type { HttpFilter, HttpStream, ResponseHead } from '../../types.ts';
import type { FilterScope } from '../scope.ts';
import { chooseEncoding, type Candidate } from './accept.ts';
import { compileLibrary } from './library.ts';

export interface CompressorPerRoute {
  readonly disabled: boolean;
  readonly removeAcceptEncoding: boolean | undefined;
}

export function compileCompressorPerRoute(
  context: CompileContext,
  { disabled, overrides }: types.compressor.CompressorPerRoute,
  path: Path,
): CompressorPerRoute {
  if (disabled === undefined && overrides === undefined) context.refuse(path, 'must say `disabled` or `overrides`');
  return {
    disabled: disabled === true,
    removeAcceptEncoding: overrides?.responseDirectionConfig?.removeAcceptEncodingHeader,
  };
}

/** Unless others are named. */
const CONTENT_TYPES = `text/html text/plain text/css application/javascript application/x-javascript text/javascript
  text/x-javascript text/ecmascript text/js text/jscript text/x-js application/ecmascript application/x-json
  application/xml application/json image/svg+xml text/xml application/xhtml+xml`.split(/\s+/);

/** What the compressors of a chain note of a request, in their order. */
interface Asked {
  readonly accepted: string | undefined;
  readonly candidates: (Candidate & { readonly compresses: (contentType: string | undefined) => boolean })[];
}
const asked = new WeakMap<HttpStream, Asked>();

type Verdict =
  | 'ContentTypeNotAllowed'
  | 'EtagNotAllowed'
  | 'StatusCodeNotAllowed'
  | 'ContentLengthTooSmall'
  | ''
  | 'ok';

/** Compresses bodies of responses for clients that take them so. */
export function compressorFilter(
  context: CompileContext,
  config: types.compressor.Compressor,
  scope: FilterScope,
  path: Path,
): HttpFilter | undefined {
  const library = compileLibrary(context, config.compressorLibrary, [...path, 'compressorLibrary']);
  if (library === undefined) return undefined;
  const direction = config.responseDirectionConfig;
  const common = direction?.commonConfig;
  const minLength = common?.minContentLength ?? config.contentLength ?? 30;
  const given = common?.contentType ?? config.contentType ?? [];
  const contentTypes = new Set((given.length === 0 ? CONTENT_TYPES : given).map((type) => type.toLowerCase()));
  const typeMatchers = (common?.contentTypeMatcher ?? []).map((matcher, i) =>
    compileString(context, matcher, [...path, 'responseDirectionConfig', 'commonConfig', 'contentTypeMatcher', i]),
  );
  const weakens = direction?.weakenEtagOnCompress === true;
  const etagStops = !weakens && (direction?.disableOnEtagHeader ?? config.disableOnEtagHeader) === true;
  const removes = (direction?.removeAcceptEncodingHeader ?? config.removeAcceptEncodingHeader) === true;
  const never = new Set(direction?.uncompressibleResponseCodes ?? []);
  const tells = direction?.statusHeaderEnabled === true;
  const flag = common?.enabled ?? config.runtimeEnabled;
  const enabled = liveFlag(context.deps.runtime, flag?.runtimeKey, flag?.defaultValue ?? true);
  const prefix = `compressor.${config.compressorLibrary?.name ?? ''}.${library.statName}.`;
  const count = (name: string): { value: number } => scope.counter(prefix + name);
  const own = (name: string): { value: number } => count(direction === undefined ? name : `response.${name}`);
  const compressed = own('compressed');
  const notCompressed = own('not_compressed');
  const bytesIn = own('total_uncompressed_bytes');
  const bytesOut = own('total_compressed_bytes');
  const tooSmall = own('content_length_too_small');
  const etags = count('not_compressed_etag');
  const noHeader = count('no_accept_header');
  const used = count('header_compressor_used');
  const overshadowed = count('header_compressor_overshadowed');
  const byKind = {
    identity: count('header_identity'),
    'not-valid': count('header_not_valid'),
    wildcard: count('header_wildcard'),
  };
  // Requests are never compressed, and counted as that.
  const requests = count('request.not_compressed');
  for (const name of ['compressed', 'content_length_too_small', 'total_compressed_bytes', 'total_uncompressed_bytes'])
    count(`request.${name}`);

  const compresses = (contentType: string | undefined): boolean => {
    if (contentType === undefined) return true;
    const type = contentType.split(';')[0]!.trim();
    if (typeMatchers.length > 0) return typeMatchers.some(({ matches }) => matches(type));
    return contentTypes.has(type.toLowerCase());
  };
  const candidate = { encoding: library.encoding, first: config.chooseFirst === true, compresses };
  const perRoute = (stream: HttpStream): CompressorPerRoute | undefined =>
    stream.perRoute(scope.name) as CompressorPerRoute | undefined;

  const accepts = (stream: HttpStream, contentType: string | undefined): boolean => {
    const { accepted, candidates } = asked.get(stream) ?? { accepted: undefined, candidates: [] };
    if (accepted === undefined) {
      noHeader.value++;
      return false;
    }
    const choice = chooseEncoding(
      accepted,
      candidates.filter((each) => each.compresses(contentType)),
    );
    if (choice.kind === 'compressor') (choice.encoding === library.encoding ? used : overshadowed).value++;
    else byKind[choice.kind].value++;
    return 'encoding' in choice && choice.encoding === library.encoding;
  };

  /** Whether the response could be compressed for somebody; empty: no, and there is nothing to tell of it. */
  const judge = ({ status, headers }: ResponseHead): Verdict => {
    if (!enabled.value) return '';
    const length = headers.get('content-length');
    if (length !== undefined && Number(length) < minLength) {
      tooSmall.value++;
      return 'ContentLengthTooSmall';
    }
    if (headers.has('content-encoding') || isFixed(headers.getJoined('cache-control'))) return '';
    if (!compresses(headers.get('content-type'))) return 'ContentTypeNotAllowed';
    if (etagStops && headers.has('etag')) {
      etags.value++;
      return 'EtagNotAllowed';
    }
    return never.has(status) ? 'StatusCodeNotAllowed' : 'ok';
  };

  return {
    name: scope.name,
    onRequest(stream) {
      const { headers } = stream.request;
      let noted = asked.get(stream);
      if (noted === undefined)
        asked.set(stream, (noted = { accepted: headers.getJoined('accept-encoding'), candidates: [] }));
      requests.value++;
      noted.candidates.push(candidate);
      const route = perRoute(stream);
      if (route?.disabled === true) return undefined;
      if (route?.removeAcceptEncoding ?? removes) headers.remove('accept-encoding');
      return undefined;
    },
    onResponse(stream) {
      const { response } = stream;
      if (response === undefined || stream.upgrade !== '') return undefined;
      if (perRoute(stream)?.disabled === true) {
        notCompressed.value++;
        return undefined;
      }
      const { headers } = response;
      const verdict = judge(response);
      const isLong = enabled.value && verdict !== 'ContentLengthTooSmall';
      const length = headers.get('content-length') ?? '';
      if (tells && verdict === 'ok') addVary(response);
      const wanted =
        !stream.responseEnds && isLong && (!tells || verdict === 'ok') && accepts(stream, headers.get('content-type'));
      if (wanted && verdict === 'ok') {
        compressed.value++;
        const etag = headers.get('etag');
        if (etag !== undefined && isStrong(etag)) {
          if (weakens) headers.set('etag', `W/${etag}`);
          else headers.remove('etag');
        }
        headers.remove('content-length');
        headers.set('content-encoding', library.encoding);
        if (tells) headers.set('x-envoy-compression-status', `${library.encoding};Compressed;OriginalLength=${length}`);
        stream.transformResponse(library.make(), (before, after) => {
          bytesIn.value += before;
          bytesOut.value += after;
          return true;
        });
      } else {
        notCompressed.value++;
        if (tells && !stream.responseEnds && verdict !== 'ok' && verdict !== '') {
          // Envoy looks a second time before it tells.
          if (verdict === 'ContentLengthTooSmall') tooSmall.value++;
          headers.set('x-envoy-compression-status', `${library.encoding};${verdict}`);
        }
      }
      if (!tells && verdict === 'ok') addVary(response);
      return undefined;
    },
  };
}

/** It promises these very bytes. */
function isStrong(etag: string): boolean {
  return !/^w\//i.test(etag);
}

function isFixed(cacheControl: string | undefined): boolean {
  return cacheControl?.split(',').some((token) => token.trim().toLowerCase() === 'no-transform') === true;
}

function addVary({ headers }: ResponseHead): void {
  const vary = headers.getJoined('vary');
  if (vary === undefined) headers.add('vary', 'Accept-Encoding');
  else if (!vary.split(',').some((token) => token.trim() === 'Accept-Encoding'))
    headers.set('vary', `${vary}, Accept-Encoding`);
}
