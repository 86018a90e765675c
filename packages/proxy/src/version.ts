/** The Envoy whose behaviour this proxy has. */
const ENVOY_VERSION = '1.40.0';
/** What the proxy says that it is. */
export const VERSION = `mizzen/${ENVOY_VERSION}/Clean/RELEASE/OpenSSL`;
