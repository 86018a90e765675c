import type { types } from '@mizzen/xds';
import { formatOf } from '../../telemetry/access-log.ts';
import { compileAccessLogFilter } from '../../telemetry/access-log-filter.ts';
import type { CompileContext } from '../context.ts';
import { compileHeaderChange } from '../headers.ts';
import type { Path } from '../path.ts';
import type { HeaderChange, LocalReplyProgram, LogSource } from '../types.ts';
import { dataSource } from '../values.ts';

interface Mapper {
  readonly matches: (source: LogSource) => boolean;
  readonly status: number | undefined;
  readonly body: string | undefined;
  readonly format: BodyFormat | undefined;
  readonly headers: readonly HeaderChange[];
}
export interface BodyFormat {
  readonly contentType: string;
  readonly text: (source: LogSource) => string;
}

/** The first mapper whose filter fits changes status, body, headers and format; the general format comes last. */
export function compileLocalReply(
  context: CompileContext,
  config: types.hcm.LocalReplyConfig | undefined,
  path: Path,
): LocalReplyProgram | undefined {
  if (config === undefined) return undefined;
  const general = compileBodyFormat(context, config.bodyFormat, [...path, 'bodyFormat']);
  const mappers = (config.mappers ?? []).map((mapper, i): Mapper => {
    const at = [...path, 'mappers', i];
    if (mapper.filter === undefined) context.refuse([...at, 'filter'], 'must be there');
    return {
      matches:
        mapper.filter === undefined ? () => false : compileAccessLogFilter(context, mapper.filter, [...at, 'filter']),
      status: mapper.statusCode,
      body: mapper.body === undefined ? undefined : dataSource(context, mapper.body, [...at, 'body'])?.toString('utf8'),
      format: compileBodyFormat(context, mapper.bodyFormatOverride, [...at, 'bodyFormatOverride']),
      headers: (mapper.headersToAdd ?? []).flatMap(
        (option, j) => compileHeaderChange(context, option, [...at, 'headersToAdd', j]) ?? [],
      ),
    };
  });
  return {
    rewrite(source, status, body) {
      const mapper = mappers.find((candidate) => candidate.matches(source));
      const newStatus = mapper?.status ?? status;
      const newBody = mapper?.body ?? body;
      const format = mapper?.format ?? general;
      const headers = mapper?.headers ?? [];
      if (format === undefined) return { status: newStatus, body: newBody, contentType: 'text/plain', headers };
      // %RESPONSE_CODE% and %LOCAL_REPLY_BODY% are what the mapper made of them.
      source.info.responseCode = newStatus;
      source.info.localReplyBody = newBody;
      return { status: newStatus, body: format.text(source), contentType: format.contentType, headers };
    },
  };
}

export function compileBodyFormat(
  context: CompileContext,
  format: types.core.SubstitutionFormatString | undefined,
  path: Path,
): BodyFormat | undefined {
  if (format === undefined) return undefined;
  const json = format.jsonFormat !== undefined;
  const contentType =
    format.contentType === undefined || format.contentType === ''
      ? json
        ? 'application/json'
        : 'text/plain'
      : format.contentType;
  return { contentType, text: formatOf(context, format, path) };
}
