/** Changes of header fields, on every level at which there may be some, and the texts with command operators in them. */
import fc, { type Arbitrary } from 'fast-check';
import { among, flag, merged, one, some } from './arbitrary.ts';

const OPERATORS = [
  '%REQ(x-a)%',
  '%REQ(:path)%',
  '%REQ(x-none?x-a)%',
  '%REQ(x-a):2%',
  '%REQ(:method)%',
  '%REQ(:scheme)%',
  '%REQ(:authority)%',
  '%REQ(user-agent)%',
  '%REQ(x-forwarded-for)%',
  '%REQ(x-envoy-original-path?:path)%',
  '%RESP(x-up)%',
  '%RESP(content-type)%',
  '%RESP(:status)%',
  '%TRAILER(x-t)%',
  '%PROTOCOL%',
  '%RESPONSE_CODE%',
  '%RESPONSE_CODE_DETAILS%',
  '%RESPONSE_FLAGS%',
  '%RESPONSE_FLAGS_LONG%',
  '%CONNECTION_TERMINATION_DETAILS%',
  '%UPSTREAM_CLUSTER%',
  '%UPSTREAM_CLUSTER_RAW%',
  '%UPSTREAM_HOST%',
  '%UPSTREAM_PROTOCOL%',
  '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
  '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  '%UPSTREAM_REMOTE_PORT%',
  '%ROUTE_NAME%',
  '%VIRTUAL_CLUSTER_NAME%',
  '%REQUESTED_SERVER_NAME%',
  '%REQUESTED_SERVER_NAME(HOST_FIRST)%',
  '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%',
  '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%',
  '%DOWNSTREAM_LOCAL_ADDRESS%',
  '%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%',
  '%DOWNSTREAM_LOCAL_PORT%',
  '%DYNAMIC_METADATA(envoy.lb)%',
  '%DYNAMIC_METADATA(a:b)%',
  '%PATH(NQ)%',
  '%PATH(WQ:ORIG)%',
  '%PATH(WQ:ORIG_OR_PATH):7%',
  '%QUERY_PARAM(q)%',
  '%QUERY_PARAMS(ORIG)%',
  '%GRPC_STATUS%',
  '%GRPC_STATUS_NUMBER%',
  '%CUSTOM_FLAGS%',
  '%METADATA(LISTENER:a:b)%',
  '%METADATA(ROUTE:a:b)%',
  '%METADATA(CLUSTER:a)%',
  '%HOSTNAME%',
  '%DYNAMIC_METADATA(envoy.filters.http.jwt_authn)%',
  '%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:b:sub)%',
  '%DYNAMIC_METADATA(envoy.filters.http.basic_auth)%',
  '%DYNAMIC_METADATA(envoy.filters.http.api_key_auth)%',
  '%DYNAMIC_METADATA(envoy.filters.http.ext_authz)%',
  '%FILTER_STATE(k:PLAIN)%',
  '%FILTER_STATE(k)%',
  '%UPSTREAM_FILTER_STATE(k:PLAIN)%',
  '%CEL(request.headers["x-a"])%',
  '%CEL(request.query)%',
  '%CEL(filter_state["k"])%',
  '%CEL(request.url_path + request.host)%',
  '%CEL(xds.cluster_name)%',
  '%DOWNSTREAM_TRANSPORT_FAILURE_REASON%',
];

/** Sizes: only what is written once the answer has left tells them whole. */
const SIZES = [
  '%BYTES_RECEIVED%',
  '%BYTES_SENT%',
  '%UPSTREAM_WIRE_BYTES_RECEIVED%',
  '%DOWNSTREAM_WIRE_BYTES_RECEIVED%',
  '%REQUEST_TX_DURATION%',
  '%RESPONSE_DURATION%',
  '%DURATION%',
  '%STREAM_ID%',
  '%ACCESS_LOG_TYPE%',
  '%UPSTREAM_HEADER_BYTES_RECEIVED%',
  '%DOWNSTREAM_HEADER_BYTES_RECEIVED%',
  '%RESPONSE_TX_DURATION%',
];
/** Those that differ from run to run. */
export const OF_THE_MOMENT = /^%(?:\w*DURATION|STREAM_ID)%$/;

export const operator: Arbitrary<string> = one(...OPERATORS);
export const logged: Arbitrary<string> = one(...OPERATORS, ...SIZES);

export const value: Arbitrary<string> = among(
  one('v', '', 'a%%b', 'two, 3', '"q"'),
  operator,
  fc.tuple(operator, operator).map(([a, b]) => `${a}-${b}`),
);

const NAMES = [
  'x-new',
  'x-a',
  'X-B',
  'x-up',
  'content-type',
  'x-forwarded-for',
  'user-agent',
  'server',
  'date',
  'x-envoy-max-retries',
  'via',
  'set-cookie',
  'x-request-id',
  'cache-control',
  'x-forwarded-proto',
];

const addition: Arbitrary<object> = merged(
  fc.record({ header: fc.record({ key: one(...NAMES), value }) }),
  some(
    {
      appendAction: one(
        'APPEND_IF_EXISTS_OR_ADD',
        'ADD_IF_ABSENT',
        'OVERWRITE_IF_EXISTS_OR_ADD',
        'OVERWRITE_IF_EXISTS',
      ),
    },
    2,
  ),
  some({ keepEmptyValue: flag }, 4),
);
export const additions: Arbitrary<object[]> = fc.array(addition, { minLength: 1, maxLength: 3 });
const removals = (...names: readonly string[]): Arbitrary<string[]> => one(...names).map((name) => [name]);

/** Of routes, virtual hosts, route configurations and weighted clusters. */
export const mutations = (times: number): Arbitrary<object> =>
  some(
    {
      requestHeadersToAdd: additions,
      responseHeadersToAdd: additions,
      requestHeadersToRemove: removals('x-a', 'x-b', 'user-agent', 'accept', 'x-forwarded-proto', 'content-type', 'te'),
      responseHeadersToRemove: removals('x-up', 'server', 'date', 'x-envoy-upstream-service-time', 'content-type'),
    },
    times,
  );

const mutation: Arbitrary<object> = among<object>(
  addition.map((append) => ({ append })),
  one('x-a', 'x-up', 'user-agent', 'server').map((remove) => ({ remove })),
  one({ exact: 'x-a' }, { prefix: 'x-' }, { suffix: '-b' }, { safeRegex: { regex: 'x-.*' } }).map((keyMatcher) => ({
    removeOnMatch: { keyMatcher },
  })),
);
const list = fc.array(mutation, { minLength: 1, maxLength: 3 });

/** Of the filter `header_mutation`. */
export const filterMutations: Arbitrary<object> = some(
  {
    requestMutations: list,
    responseMutations: list,
    queryParameterMutations: fc.array(
      among<object>(
        fc.record({
          append: fc.record({
            record: fc.record({ key: one('q', 'new'), value: one('1', '%REQ(x-a)%', 'a b', '') }),
            action: one(
              'APPEND_IF_EXISTS_OR_ADD',
              'ADD_IF_ABSENT',
              'OVERWRITE_IF_EXISTS_OR_ADD',
              'OVERWRITE_IF_EXISTS',
            ),
          }),
        }),
        one('q', 'x').map((remove) => ({ remove })),
      ),
      { minLength: 1, maxLength: 2 },
    ),
    responseTrailersMutations: list,
    requestTrailersMutations: list,
  },
  2,
);

export const mutationList = list;
