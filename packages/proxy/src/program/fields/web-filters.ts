import type { FieldTable } from './table.ts';

const API_KEY = 'envoy.extensions.filters.http.api_key_auth.v3';

/** HTTP filters of edges: who may come in, and how bodies are compressed. */
export const webFilterFields: FieldTable = {
  'envoy.extensions.filters.http.csrf.v3.CsrfPolicy': {
    implemented: 'filterEnabled shadowEnabled additionalOrigins',
  },
  'envoy.extensions.filters.http.basic_auth.v3.BasicAuth': {
    implemented: 'users forwardUsernameHeader authenticationHeader',
  },
  'envoy.extensions.filters.http.basic_auth.v3.BasicAuthPerRoute': { implemented: 'users' },
  [`${API_KEY}.ApiKeyAuth`]: { implemented: 'credentials keySources forwarding' },
  [`${API_KEY}.ApiKeyAuthPerRoute`]: { implemented: 'credentials keySources allowedClients forwarding' },
  [`${API_KEY}.Credential`]: { implemented: 'key client' },
  [`${API_KEY}.KeySource`]: { implemented: 'header query cookie' },
  [`${API_KEY}.Forwarding`]: { implemented: 'header hideCredentials' },
};
