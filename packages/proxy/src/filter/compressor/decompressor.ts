import type { Transform } from 'node:stream';
import { type BrotliDecompress, createBrotliDecompress, createZstdDecompress } from 'node:zlib';
import type { types } from '@mizzen/xds';
import type { Headers } from '../../http/headers.ts';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { messageOf } from '../../program/read-resource.ts';
import { liveFlag, type Live } from '../../runtime/live.ts';
import type { HttpFilter } from '../../types.ts';
import type { FilterScope } from '../scope.ts';
import { Gunzip } from './gunzip.ts';

interface Library {
  readonly encoding: 'gzip' | 'br' | 'zstd';
  readonly statName: 'gzip' | 'brotli' | 'zstd';
  /** More than so many bytes from one are not read. */
  readonly maxRatio: number;
  readonly make: () => Transform;
  /** Codes of errors, by the counters they are counted in; `*`: every other one. */
  readonly errors: Readonly<Record<string, string>>;
  /** Counters of bodies behind which something follows. */
  readonly redundant: readonly string[];
}

const ZLIB_ERRORS = {
  zlib_errno: 'Z_ERRNO',
  zlib_stream_error: 'Z_STREAM_ERROR',
  zlib_data_error: '*',
  zlib_mem_error: 'Z_MEM_ERROR',
  zlib_buf_error: '',
  zlib_version_error: 'Z_VERSION_ERROR',
};
const BROTLI_ERRORS = { brotli_error: '*', brotli_output_overflow: '', brotli_redundant_input: '' };
const ZSTD_ERRORS = {
  zstd_generic_error: '*',
  zstd_dictionary_error: 'ZSTD_error_dictionary_wrong',
  zstd_checksum_wrong_error: 'ZSTD_error_checksum_wrong',
  zstd_memory_error: 'ZSTD_error_memory_allocation',
};

/** Undefined after a refusal. */
function compileLibrary(
  context: CompileContext,
  library: types.core.TypedExtensionConfig | undefined,
  path: Path,
): Library | undefined {
  const config = library?.typedConfig;
  const type = messageOf(config?.['@type'] ?? '');
  const chunks = { chunkSize: (config as GzipConfig | undefined)?.chunkSize ?? 4096 };
  switch (type) {
    case 'envoy.extensions.compression.gzip.decompressor.v3.Gzip': {
      const { windowBits, maxInflateRatio } = config as GzipConfig;
      if (windowBits !== undefined && (windowBits < 9 || windowBits > 15))
        context.refuse([...path, 'typedConfig', 'windowBits'], 'must be from 9 to 15');
      const options = { windowBits: windowBits ?? 15, ...chunks };
      const maxRatio = maxInflateRatio ?? 100;
      return {
        encoding: 'gzip',
        statName: 'gzip',
        maxRatio,
        make: () => new Gunzip(options),
        errors: ZLIB_ERRORS,
        redundant: [],
      };
    }
    case 'envoy.extensions.compression.brotli.decompressor.v3.Brotli':
      return {
        encoding: 'br',
        statName: 'brotli',
        maxRatio: 100,
        make: () => createBrotliDecompress(chunks),
        errors: BROTLI_ERRORS,
        redundant: ['brotli_error', 'brotli_redundant_input'],
      };
    case 'envoy.extensions.compression.zstd.decompressor.v3.Zstd':
      return {
        encoding: 'zstd',
        statName: 'zstd',
        maxRatio: 100,
        make: () => createZstdDecompress(chunks),
        errors: ZSTD_ERRORS,
        redundant: ['zstd_generic_error'],
      };
    default:
      context.refuse(path, config === undefined ? 'must be there' : `\`${type}\` is not a decompressor`);
      return undefined;
  }
}

interface GzipConfig {
  readonly windowBits?: number;
  readonly maxInflateRatio?: number;
  readonly chunkSize?: number;
}

interface Direction {
  readonly enabled: Live<boolean>;
  readonly ignoresNoTransform: boolean;
  readonly decompressed: { value: number };
  readonly not: { value: number };
  readonly bytesIn: { value: number };
  readonly bytesOut: { value: number };
}

/** Passes bodies on as they were before they were compressed. */
export function decompressorFilter(
  context: CompileContext,
  config: types.decompressor.Decompressor,
  scope: FilterScope,
  path: Path,
): HttpFilter | undefined {
  const library = compileLibrary(context, config.decompressorLibrary, [...path, 'decompressorLibrary']);
  if (library === undefined) return undefined;
  const prefix = `decompressor.${config.decompressorLibrary?.name ?? ''}.${library.statName}`;
  const direction = (
    name: 'request' | 'response',
    common: types.decompressor.Decompressor_CommonDirectionConfig | undefined,
  ): Direction => {
    const count = (stat: string): { value: number } => scope.counter(`${prefix}.${name}.${stat}`);
    const { enabled } = common ?? {};
    return {
      enabled: liveFlag(context.deps.runtime, enabled?.runtimeKey, enabled?.defaultValue ?? true),
      ignoresNoTransform: common?.ignoreNoTransformHeader === true,
      decompressed: count('decompressed'),
      not: count('not_decompressed'),
      bytesIn: count('total_compressed_bytes'),
      bytesOut: count('total_uncompressed_bytes'),
    };
  };
  const errorCount = (name: string): { value: number } => scope.counter(`${prefix}.decompressor_library.${name}`);
  const errors = Object.entries(library.errors).map(([name, code]) => [code, errorCount(name)] as const);
  const redundant = library.redundant.map(errorCount);
  const request = direction('request', config.requestDirectionConfig?.commonConfig);
  const response = direction('response', config.responseDirectionConfig?.commonConfig);
  const advertises = config.requestDirectionConfig?.advertiseAcceptEncoding ?? true;

  /** Whether a body is to be read, and what its head then says. */
  const takes = (of: Direction, headers: Headers, ends: boolean): boolean => {
    if (ends) return false;
    const matches =
      of.enabled.value &&
      (of.ignoresNoTransform || !/(^|,)\s*no-transform\s*(,|$)/i.test(headers.getJoined('cache-control') ?? '')) &&
      takeEncoding(headers, library.encoding);
    (matches ? of.decompressed : of.not).value++;
    if (matches) headers.remove('content-length');
    return matches;
  };
  const begin = (of: Direction): [Transform, (before: number, after: number) => boolean] => {
    let [read, made] = [0, 0];
    const transform = library.make();
    transform.on('error', ({ code }: NodeJS.ErrnoException) => {
      // A body that ends too early is passed on as far as it goes.
      if (code === 'Z_BUF_ERROR') return;
      const found = errors.find(([each]) => each === code) ?? errors.find(([each]) => each === '*');
      found![1].value++;
    });
    if (redundant.length > 0)
      transform.on('end', () => {
        if ((transform as BrotliDecompress).bytesWritten < read) for (const counter of redundant) counter.value++;
      });
    return [
      transform,
      (before, after) => {
        of.bytesIn.value += before;
        of.bytesOut.value += after;
        read += before;
        made += after;
        return made <= read * library.maxRatio;
      },
    ];
  };

  return {
    name: scope.name,
    onRequest(stream) {
      const { headers } = stream.request;
      if (response.enabled.value && advertises) advertise(headers, library.encoding);
      if (stream.upgrade !== '') request.not.value++;
      else if (takes(request, headers, !stream.expectsBody)) stream.transformRequest(...begin(request));
      return undefined;
    },
    onResponse(stream) {
      const head = stream.response;
      if (head === undefined) return undefined;
      // What nobody asked to switch to has no body, but does not say so.
      const switches = head.status === 101 && stream.request.method !== 'HEAD';
      if (stream.tunnel || switches) response.not.value++;
      else if (takes(response, head.headers, stream.responseEnds)) stream.transformResponse(...begin(response));
      return undefined;
    },
  };
}

/** The encoding comes last, and without what was said of it before. */
function advertise(headers: Headers, encoding: string): void {
  const others = (headers.getJoined('accept-encoding') ?? '')
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '' && token.split(';')[0]!.trim() !== encoding);
  headers.set('accept-encoding', [...others, encoding].join(','));
}

/** Takes the first of the encodings away, if it is that. */
function takeEncoding(headers: Headers, encoding: string): boolean {
  const [first = '', ...rest] = (headers.getJoined('content-encoding') ?? '').split(',');
  if (first.trim().toLowerCase() !== encoding) return false;
  if (rest.length === 0) headers.remove('content-encoding');
  else headers.set('content-encoding', rest.join(',').trimStart());
  return true;
}
