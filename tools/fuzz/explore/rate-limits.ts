/** What is counted of requests, as routes, virtual hosts and filters say. */
import fc, { type Arbitrary } from 'fast-check';
import { among, flag, merged, one, some } from './arbitrary.ts';
import { header } from './logs.ts';

const action: Arbitrary<object> = among<object>(
  one<object>(
    { genericKey: { descriptorKey: 'k', descriptorValue: '1' } },
    { genericKey: { descriptorKey: 'k', descriptorValue: '%REQ(x-a)%', defaultValue: '1' } },
    { requestHeaders: { headerName: 'x-a', descriptorKey: 'k' } },
    { requestHeaders: { headerName: 'x-b', descriptorKey: 'm', skipIfAbsent: true } },
    { queryParameters: { queryParameterName: 'q', descriptorKey: 'k' } },
    { queryParameters: { queryParameterName: 'q', descriptorKey: 'k', skipIfAbsent: true } },
    { remoteAddress: {} },
    { maskedRemoteAddress: { v4PrefixMaskLen: 8 } },
    { destinationCluster: {} },
    { sourceCluster: {} },
    { metadata: { descriptorKey: 'k', metadataKey: { key: 'a', path: [{ key: 'b' }] }, defaultValue: '1' } },
    {
      metadata: {
        descriptorKey: 'k',
        metadataKey: { key: 'a', path: [{ key: 'b' }] },
        source: 'ROUTE_ENTRY',
        skipIfAbsent: true,
      },
    },
    {
      queryParameterValueMatch: {
        descriptorKey: 'k',
        descriptorValue: '1',
        queryParameters: [{ name: 'q', presentMatch: true }],
      },
    },
  ),
  merged(
    header.map((each) => ({ descriptorKey: 'k', descriptorValue: '1', headers: [each] })),
    some({ expectMatch: one(false, true) }, 3),
  ).map((headerValueMatch) => ({ headerValueMatch })),
);

const options = (more: Readonly<Record<string, Arbitrary<unknown>>>): Arbitrary<object[]> =>
  fc.array(
    merged(
      fc.array(action, { minLength: 1, maxLength: 2 }).map((actions) => ({ actions })),
      some(
        {
          ...more,
          hitsAddend: one<object>({ number: 2 }, { number: 0 }, { format: '%BYTES_RECEIVED%' }),
          applyOnStreamDone: flag,
          xRatelimitOption: one('OFF', 'DRAFT_VERSION_03'),
        },
        8,
      ),
    ),
    { minLength: 1, maxLength: 2 },
  );

export const rateLimits = options({ stage: one(0, 1), disableKey: one('off') });
/** Of filters themselves. */
export const ownRateLimits = options({});
