/** Access logs and formats of local replies. */
import fc, { type Arbitrary } from 'fast-check';
import { among, flag, merged, one, seldom, some, withoutUndefined } from './arbitrary.ts';
import { additions, logged, OF_THE_MOMENT, operator } from './mutations.ts';

const text = (inlineString: string): object => ({ inlineString });

/** Names of JSON fields with text, operators, and what is in them. */
const json = (from: Arbitrary<string>): Arbitrary<object> => {
  const leaf: Arbitrary<unknown> = among<unknown>(
    from,
    one<unknown>('text', 7, true, null),
    fc.tuple(from, from).map((all) => all.join(' ')),
  );
  const branch = among<unknown>(leaf, fc.array(leaf, { maxLength: 2 }), fc.dictionary(one('a', 'b'), leaf));
  return fc.dictionary(one('b', 'a', 'c', 'A'), branch, { minKeys: 1, maxKeys: 3 });
};

const bodyFormat: Arbitrary<object> = merged(
  among<object>(
    fc
      .array(among(one('%LOCAL_REPLY_BODY%', 'text ', '{"a": "'), operator), { minLength: 1, maxLength: 3 })
      .map((parts) => ({ textFormatSource: text(parts.join('')) })),
    json(among(one('%LOCAL_REPLY_BODY%'), operator)).map((jsonFormat) => ({ jsonFormat })),
  ),
  some(
    {
      contentType: one('text/html; charset=UTF-8', 'application/json'),
      omitEmptyValues: flag,
      jsonFormatOptions: one({ sortProperties: false }, { sortProperties: true }),
    },
    4,
  ),
);
export { bodyFormat };

const comparison = (op: string, defaultValue: number): object => ({
  comparison: { op, value: { defaultValue, runtimeKey: 'none' } },
});

export const header: Arbitrary<object> = merged(
  one('x-a', ':path', ':method', ':authority', 'x-b', 'content-type', 'x-none').map((name) => ({ name })),
  one<object>(
    { presentMatch: true },
    { presentMatch: false },
    { stringMatch: { exact: '1' } },
    { stringMatch: { prefix: '/a', ignoreCase: true } },
    { stringMatch: { suffix: 'b' } },
    { stringMatch: { contains: 'o' } },
    { stringMatch: { safeRegex: { regex: '[a-z0-9, ]+' } } },
    { rangeMatch: { start: -1, end: 5 } },
    { exactMatch: 'GET' },
    { prefixMatch: 't' },
    { safeRegexMatch: { regex: '/.*b' } },
    { containsMatch: 'a' },
    { suffixMatch: 'b' },
  ),
  some({ invertMatch: flag, treatMissingHeaderAsEmpty: flag }, 4),
);

const plainFilter: Arbitrary<object> = among<object>(
  one<object>(
    { statusCodeFilter: comparison('GE', 400) },
    { statusCodeFilter: comparison('EQ', 200) },
    { statusCodeFilter: comparison('LE', 399) },
    { statusCodeFilter: comparison('NE', 404) },
    { notHealthCheckFilter: {} },
    { responseFlagFilter: {} },
    { responseFlagFilter: { flags: ['NR', 'UF', 'DC'] } },
    { grpcStatusFilter: { statuses: ['OK', 'UNAVAILABLE'] } },
    { grpcStatusFilter: { statuses: ['NOT_FOUND'], exclude: true } },
    { traceableFilter: {} },
    { runtimeFilter: { runtimeKey: 'none', percentSampled: { numerator: 100 } } },
  ),
  header.map((each) => ({ headerFilter: { header: each } })),
);
const filter: Arbitrary<object> = among<object>(
  plainFilter,
  fc.array(plainFilter, { minLength: 2, maxLength: 3 }).map((filters) => ({ andFilter: { filters } })),
  fc.array(plainFilter, { minLength: 2, maxLength: 3 }).map((filters) => ({ orFilter: { filters } })),
);

const mapper: Arbitrary<object> = merged(
  fc.record({ filter }),
  some(
    {
      statusCode: one(418, 200, 503, 204),
      body: one(text('mapped'), text('')),
      bodyFormatOverride: bodyFormat,
      headersToAdd: additions,
    },
    2,
  ),
);
export const localReply: Arbitrary<object> = some({ mappers: fc.array(mapper, { maxLength: 3 }), bodyFormat }, 2);

/** What the moment decides is put between brackets, so that it can be taken out. */
const quoted = (operator: string): string => (OF_THE_MOMENT.test(operator) ? `<${operator}>` : operator);
const WHO = '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%';
const ALWAYS = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %REQ(:METHOD)% %REQ(:PATH)%';

/** An access log to the unit's file; every line begins with the client's address. */
export const accessLog: Arbitrary<object> = fc
  .record({
    filter: seldom(filter, 4),
    format: among<object>(
      fc
        .array(logged, { maxLength: 6 })
        .map((all) => ({ textFormatSource: text(`@${WHO} ${ALWAYS} ${all.map(quoted).join(' ')}\n`) })),
      json(logged.map(quoted)).map((fields) => ({ jsonFormat: { '!': `@${WHO} ${ALWAYS}`, ...fields } })),
    ),
    omitEmptyValues: seldom(flag, 6),
  })
  .map(({ filter: each, format, ...more }) => ({
    ...(each === undefined ? {} : { filter: each }),
    '$access_loggers.file.v3.FileAccessLog': {
      path: '${log:UNIT}',
      logFormat: { ...format, ...withoutUndefined(more) },
    },
  }));
