import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const FILTERS = 'envoy.extensions.filters';

/** Filters that leave something for others to read. */
export const stateFields: FieldTable = {
  [`${FILTERS}.common.set_filter_state.v3.FilterStateValue`]: {
    implemented: 'objectKey factoryKey formatString sharedWithUpstream skipIfEmpty',
    noEffect: { 'a value that is set again is replaced, whatever it was': 'readOnly' },
  },
  [`${FILTERS}.http.set_filter_state.v3.Config`]: { implemented: 'onRequestHeaders clearRouteCache' },
  [`${FILTERS}.network.set_filter_state.v3.Config`]: {
    implemented: 'onNewConnection onDownstreamTlsHandshake onDownstreamData',
  },
  [`${FILTERS}.http.set_metadata.v3.Config`]: { implemented: 'metadataNamespace value metadata' },
  [`${FILTERS}.http.set_metadata.v3.Metadata`]: {
    implemented: 'metadataNamespace allowOverwrite value',
    refused: { [NOT_SUPPORTED]: 'typedValue' },
  },
};
