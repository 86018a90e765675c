import type { types } from '@mizzen/xds';
import type { Headers } from '../../http/headers.ts';
import { isUpgrade } from '../../http/is-upgrade.ts';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { HttpFilter, HttpStream, ResponseHead } from '../../types.ts';
import { PerRouteKind } from '../per-route-kind.ts';
import type { FilterScope } from '../scope.ts';
import { chooseEncoding, type Candidate, type Choice } from './accept.ts';
import { compileDirection, type Direction } from './direction.ts';
import { compileLibrary, type Library } from './library.ts';

interface CompressorPerRoute {
  readonly disabled: boolean;
  /** Answers are compressed whether the filter itself is on or not. */
  readonly enabled: boolean;
  readonly removeAcceptEncoding: boolean | undefined;
  /** In place of the filter's. */
  readonly library: Library | undefined;
}

function compileCompressorPerRoute(
  context: CompileContext,
  { disabled, overrides }: types.compressor.CompressorPerRoute,
  path: Path,
): CompressorPerRoute {
  if (disabled === undefined && overrides === undefined) context.refuse(path, 'must say `disabled` or `overrides`');
  return {
    disabled: disabled === true,
    enabled: overrides?.responseDirectionConfig !== undefined,
    removeAcceptEncoding: overrides?.responseDirectionConfig?.removeAcceptEncodingHeader,
    library:
      overrides?.compressorLibrary === undefined
        ? undefined
        : compileLibrary(context, overrides.compressorLibrary, [...path, 'overrides', 'compressorLibrary']),
  };
}
export const compressorPerRoute = new PerRouteKind(compileCompressorPerRoute);

/** What the compressors of a chain note of a request, in their order. */
interface Asked {
  readonly accepted: string | undefined;
  /** Made by the compressor that is asked first, the last of the chain. */
  choice?: Choice;
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

/** Compresses bodies of responses for clients that take them so, and of requests where it is told to. */
export function compressorFilter(
  context: CompileContext,
  config: types.compressor.Compressor,
  scope: FilterScope,
  path: Path,
): HttpFilter | undefined {
  const library = compileLibrary(context, config.compressorLibrary, [...path, 'compressorLibrary']);
  if (library === undefined) return undefined;
  const direction = config.responseDirectionConfig;
  const { commonConfig = {} } = direction ?? {};
  const older = {
    minContentLength: config.contentLength,
    contentType: config.contentType,
    enabled: config.runtimeEnabled,
  };
  const responses = compileDirection(context, { ...older, ...commonConfig }, [
    ...path,
    'responseDirectionConfig',
    'commonConfig',
  ]);
  const requests =
    config.requestDirectionConfig === undefined
      ? undefined
      : compileDirection(context, config.requestDirectionConfig.commonConfig ?? {}, [
          ...path,
          'requestDirectionConfig',
          'commonConfig',
        ]);
  const weakens = direction?.weakenEtagOnCompress === true;
  const etagStops = !weakens && (direction?.disableOnEtagHeader ?? config.disableOnEtagHeader) === true;
  const removes = (direction?.removeAcceptEncodingHeader ?? config.removeAcceptEncodingHeader) === true;
  const never = new Set(direction?.uncompressibleResponseCodes ?? []);
  const tells = direction?.statusHeaderEnabled === true;
  const prefix = `compressor.${config.compressorLibrary?.name ?? ''}.${library.statName}.`;
  const count = (name: string): { value: number } => scope.counter(prefix + name);
  const countsOf = (prefixed: string): Counts => ({
    compressed: count(`${prefixed}compressed`),
    not: count(`${prefixed}not_compressed`),
    bytesIn: count(`${prefixed}total_uncompressed_bytes`),
    bytesOut: count(`${prefixed}total_compressed_bytes`),
    tooSmall: count(`${prefixed}content_length_too_small`),
  });
  const answering = countsOf(direction === undefined ? '' : 'response.');
  const { compressed, not: notCompressed, bytesIn, bytesOut, tooSmall } = answering;
  const asking = countsOf('request.');
  const etags = count('not_compressed_etag');
  const noHeader = count('no_accept_header');
  const used = count('header_compressor_used');
  const overshadowed = count('header_compressor_overshadowed');
  const byKind = {
    identity: count('header_identity'),
    'not-valid': count('header_not_valid'),
    wildcard: count('header_wildcard'),
  };
  const perRoute = (stream: HttpStream): CompressorPerRoute | undefined =>
    compressorPerRoute.mostSpecific(stream, scope.name);

  const candidate = {
    encoding: library.encoding,
    first: config.chooseFirst === true,
    compresses: (contentType: string | undefined) => responses.compresses(contentType),
  };
  const libraryOf = (stream: HttpStream): Library => perRoute(stream)?.library ?? library;

  const accepts = (stream: HttpStream, { encoding }: Library, contentType: string | undefined): boolean => {
    const noted = asked.get(stream);
    if (noted?.accepted === undefined) {
      noHeader.value++;
      return false;
    }
    // As in Envoy, who chooses knows of its own library of the route only.
    const choice = (noted.choice ??= chooseEncoding(
      noted.accepted,
      noted.candidates
        .filter((each) => each.compresses(contentType))
        .map((each) => (each === candidate ? { ...each, encoding } : each)),
    ));
    if (choice.kind === 'compressor') (choice.encoding === encoding ? used : overshadowed).value++;
    else byKind[choice.kind].value++;
    return 'encoding' in choice && choice.encoding === encoding;
  };

  /** Whether the response could be compressed for somebody; empty: no, and there is nothing to tell of it. */
  const judge = ({ status, headers }: ResponseHead, enabled: boolean): Verdict => {
    if (!enabled) return '';
    if (tells && isKept(headers)) return '';
    if (!isLongEnough(headers, responses, answering)) return 'ContentLengthTooSmall';
    if (isKept(headers)) return '';
    if (!responses.compresses(headers.get('content-type'))) return 'ContentTypeNotAllowed';
    if (etagStops && headers.has('etag')) {
      etags.value++;
      return 'EtagNotAllowed';
    }
    return never.has(status) ? 'StatusCodeNotAllowed' : 'ok';
  };

  const compressRequest = (stream: HttpStream, chosen: Library): void => {
    const { headers } = stream.request;
    const wanted =
      requests?.enabled.value === true &&
      stream.expectsBody &&
      stream.upgrade === '' &&
      isLongEnough(headers, requests, asking) &&
      requests.compresses(headers.get('content-type')) &&
      !headers.has('content-encoding');
    if (!wanted) {
      asking.not.value++;
      return;
    }
    asking.compressed.value++;
    headers.remove('content-length');
    headers.set('content-encoding', chosen.encoding);
    stream.transformRequest(chosen.make(), (before, after) => {
      asking.bytesIn.value += before;
      asking.bytesOut.value += after;
      return true;
    });
  };

  return {
    name: scope.name,
    onRequest(stream) {
      const { headers } = stream.request;
      let noted = asked.get(stream);
      if (noted === undefined)
        asked.set(stream, (noted = { accepted: headers.getJoined('accept-encoding'), candidates: [] }));
      const route = perRoute(stream);
      const chosen = libraryOf(stream);
      noted.candidates.push(candidate);
      compressRequest(stream, chosen);
      if (route?.disabled === true) return undefined;
      const enabled = route?.enabled === true || responses.enabled.value;
      if (enabled && (route?.removeAcceptEncoding ?? removes)) headers.remove('accept-encoding');
      return undefined;
    },
    onResponse(stream) {
      const { response } = stream;
      if (response === undefined) return undefined;
      // What comes behind such a head is no body.
      const tunnel = stream.tunnel || isUpgrade(response.headers);
      const route = perRoute(stream);
      if (route?.disabled === true) {
        notCompressed.value++;
        return undefined;
      }
      const { headers } = response;
      const chosen = libraryOf(stream);
      const enabled = route?.enabled === true || responses.enabled.value;
      const verdict = judge(response, enabled);
      const isLong = enabled && verdict !== 'ContentLengthTooSmall';
      const length = headers.get('content-length') ?? '';
      if (tells && verdict === 'ok' && !tunnel) addVary(response);
      const wanted =
        !stream.responseEnds &&
        isLong &&
        (!tells || verdict === 'ok') &&
        accepts(stream, chosen, headers.get('content-type'));
      if (wanted && verdict === 'ok' && !tunnel) {
        compressed.value++;
        const etag = headers.get('etag');
        if (etag !== undefined && isStrong(etag)) {
          if (weakens) headers.set('etag', `W/${etag}`);
          else headers.remove('etag');
        }
        headers.remove('content-length');
        headers.set('content-encoding', chosen.encoding);
        if (tells) headers.add('x-envoy-compression-status', `${chosen.encoding};Compressed;OriginalLength=${length}`);
        stream.transformResponse(chosen.make(), (before, after) => {
          bytesIn.value += before;
          bytesOut.value += after;
          return true;
        });
      } else {
        notCompressed.value++;
        if (tells && !stream.responseEnds && verdict !== 'ok' && verdict !== '') {
          // Envoy looks a second time before it tells.
          if (verdict === 'ContentLengthTooSmall') tooSmall.value++;
          headers.add('x-envoy-compression-status', `${chosen.encoding};${verdict}`);
        }
      }
      if (!tells && verdict === 'ok' && !tunnel) addVary(response);
      return undefined;
    },
  };
}

interface Counts {
  readonly compressed: { value: number };
  readonly not: { value: number };
  readonly bytesIn: { value: number };
  readonly bytesOut: { value: number };
  readonly tooSmall: { value: number };
}

function isLongEnough(headers: Headers, { minLength }: Direction, { tooSmall }: Counts): boolean {
  const length = headers.get('content-length');
  if (length === undefined || Number(length) >= minLength) return true;
  tooSmall.value++;
  return false;
}

/** It promises these very bytes. */
function isStrong(etag: string): boolean {
  return !/^w\//i.test(etag);
}

/** It goes on as it is, and nothing is told of that. */
function isKept(headers: Headers): boolean {
  return headers.has('content-encoding') || isFixed(headers.getJoined('cache-control'));
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
