import type { Transform } from 'node:stream';
import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib';
import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { messageOf } from '../../program/read-resource.ts';

/** A way to compress; but for zstd, every part of a body can be read as soon as it has been sent. */
export interface Library {
  /** As clients ask for it. */
  readonly encoding: 'gzip' | 'br' | 'zstd';
  readonly statName: 'gzip' | 'brotli' | 'zstd';
  readonly make: () => Transform;
}

/** Undefined after a refusal. */
export function compileLibrary(
  context: CompileContext,
  library: types.core.TypedExtensionConfig | undefined,
  path: Path,
): Library | undefined {
  const config = library?.typedConfig;
  if (config === undefined) {
    context.refuse(path, 'must be there');
    return undefined;
  }
  const type = messageOf(config['@type']);
  switch (type) {
    case 'envoy.extensions.compression.gzip.compressor.v3.Gzip':
      return gzip(context, config as types.gzip.Gzip, [...path, 'typedConfig']);
    case 'envoy.extensions.compression.brotli.compressor.v3.Brotli':
      return brotli(context, config as types.brotli.Brotli, [...path, 'typedConfig']);
    case 'envoy.extensions.compression.zstd.compressor.v3.Zstd':
      return zstd(config as types.zstd.Zstd);
    default:
      context.refuse([...path, 'typedConfig'], `\`${type}\` is not a compressor that is supported`);
      return undefined;
  }
}

function within(
  context: CompileContext,
  value: number | undefined,
  [min, max]: readonly [number, number],
  path: Path,
): void {
  if (value !== undefined && (value < min || value > max)) context.refuse(path, `must be from ${min} to ${max}`);
}

const STRATEGIES = {
  DEFAULT_STRATEGY: constants.Z_DEFAULT_STRATEGY,
  FILTERED: constants.Z_FILTERED,
  HUFFMAN_ONLY: constants.Z_HUFFMAN_ONLY,
  RLE: constants.Z_RLE,
  FIXED: constants.Z_FIXED,
} as const;

function gzip(context: CompileContext, config: types.gzip.Gzip, path: Path): Library {
  const { memoryLevel, windowBits, compressionLevel = 'DEFAULT_COMPRESSION', compressionStrategy } = config;
  within(context, memoryLevel, [1, 9], [...path, 'memoryLevel']);
  within(context, windowBits, [9, 15], [...path, 'windowBits']);
  const named = { DEFAULT_COMPRESSION: constants.Z_DEFAULT_COMPRESSION, BEST_SPEED: 1, BEST_COMPRESSION: 9 };
  const options = {
    level: compressionLevel in named ? named[compressionLevel as keyof typeof named] : Number(compressionLevel.at(-1)),
    memLevel: memoryLevel ?? 5,
    windowBits: windowBits ?? 12,
    strategy: STRATEGIES[compressionStrategy ?? 'DEFAULT_STRATEGY'],
    flush: constants.Z_SYNC_FLUSH,
  };
  return { encoding: 'gzip', statName: 'gzip', make: () => createGzip(options) };
}

const MODES = {
  DEFAULT: constants.BROTLI_DEFAULT_MODE,
  GENERIC: constants.BROTLI_MODE_GENERIC,
  TEXT: constants.BROTLI_MODE_TEXT,
  FONT: constants.BROTLI_MODE_FONT,
} as const;

function brotli(context: CompileContext, config: types.brotli.Brotli, path: Path): Library {
  const { quality, windowBits, inputBlockBits, encoderMode } = config;
  within(context, quality, [0, 11], [...path, 'quality']);
  within(context, windowBits, [10, 24], [...path, 'windowBits']);
  within(context, inputBlockBits, [16, 24], [...path, 'inputBlockBits']);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: quality ?? 3,
    [constants.BROTLI_PARAM_LGWIN]: windowBits ?? 18,
    [constants.BROTLI_PARAM_LGBLOCK]: inputBlockBits ?? 24,
    [constants.BROTLI_PARAM_MODE]: MODES[encoderMode ?? 'DEFAULT'],
    [constants.BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING]: config.disableLiteralContextModeling === true,
  };
  return {
    encoding: 'br',
    statName: 'brotli',
    make: () => createBrotliCompress({ params, flush: constants.BROTLI_OPERATION_FLUSH }),
  };
}

const ZSTD_STRATEGIES = [
  'DEFAULT',
  'FAST',
  'DFAST',
  'GREEDY',
  'LAZY',
  'LAZY2',
  'BTLAZY2',
  'BTOPT',
  'BTULTRA',
  'BTULTRA2',
] as const;

function zstd({ compressionLevel, enableChecksum, strategy }: types.zstd.Zstd): Library {
  const params = {
    [constants.ZSTD_c_compressionLevel]: compressionLevel ?? 3,
    [constants.ZSTD_c_checksumFlag]: enableChecksum === true,
    [constants.ZSTD_c_strategy]: ZSTD_STRATEGIES.indexOf(strategy ?? 'DEFAULT'),
  };
  return {
    encoding: 'zstd',
    statName: 'zstd',
    // As Envoy does, it gives nothing before a block is full.
    make: () => createZstdCompress({ params }),
  };
}
