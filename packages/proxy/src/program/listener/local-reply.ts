import type { types } from '@mizzen/xds';
import { formatOf } from '../../telemetry/access-log.ts';
import { compileAccessLogFilter } from '../../telemetry/access-log-filter.ts';
import type { CompileContext } from '../context.ts';
import { applyMutations, compileHeaderChange, isEmpty, type HeaderMutations } from '../headers.ts';
import type { Path } from '../path.ts';
import type { LocalReplyProgram, LogSource } from '../types.ts';
import { dataSource } from '../values.ts';

interface Mapper {
  readonly matches: (source: LogSource) => boolean;
  readonly status: number | undefined;
  readonly body: string | undefined;
  readonly format: BodyFormat | undefined;
  readonly headers: HeaderMutations;
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
      body:
        mapper.body === undefined ? undefined : dataSource(context, mapper.body, [...at, 'body'])?.toString('latin1'),
      format: compileBodyFormat(context, mapper.bodyFormatOverride, [...at, 'bodyFormatOverride']),
      headers: {
        of: 'response',
        remove: [],
        changes: (mapper.headersToAdd ?? []).flatMap(
          (option, j) => compileHeaderChange(context, option, [...at, 'headersToAdd', j]) ?? [],
        ),
      },
    };
  });
  return {
    rewrite(source, head, body) {
      const mapper = mappers.find((candidate) => candidate.matches(source));
      // Fields are made of the reply as it was, without its body; the body of what the mapper made of it.
      if (mapper !== undefined && !isEmpty(mapper.headers)) applyMutations(mapper.headers, head.headers, source);
      head.status = mapper?.status ?? head.status;
      const newBody = mapper?.body ?? body;
      const format = mapper?.format ?? general;
      if (format === undefined) return { body: newBody, contentType: 'text/plain' };
      source.info.responseCode = head.status;
      source.info.localReplyBody = newBody;
      const text = format.text(source);
      source.info.localReplyBody = undefined;
      return { body: text, contentType: format.contentType };
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
