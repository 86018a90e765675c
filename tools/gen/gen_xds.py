#!/usr/bin/env python3
"""Writes packages/xds/src/gen from Envoy's own API descriptors (PyPI: xds-protos) and istio_types.py. Run: npm run gen:xds"""
import importlib, os
from google.protobuf import descriptor_pool
from emit import emit
from istio_types import ROOTS, add_istio

ROUTE = 'envoy.config.route.v3'
HTTP = 'envoy.extensions.filters.http'
JWT = f'{HTTP}.jwt_authn.v3'
HCM = 'envoy.extensions.filters.network.http_connection_manager.v3'
HERE = os.path.dirname(os.path.abspath(__file__))
def load_all():
    for root in ('envoy', 'xds', 'udpa', 'opentelemetry'):
        try: pkg = importlib.import_module(root)
        except ImportError: continue
        for path in pkg.__path__:
            base = os.path.dirname(path)
            for folder, _, files in os.walk(path):
                for f in files:
                    if f.endswith('_pb2.py') and '/v2' not in folder and 'alpha' not in folder:
                        name = os.path.relpath(os.path.join(folder, f), base)[:-3].replace(os.sep, '.')
                        try: importlib.import_module(name)
                        except Exception: pass

def main():
    load_all()
    add_istio(descriptor_pool.Default())
    roots = [line.strip() for line in open(os.path.join(HERE, 'xds-roots.txt')) if line.strip() and not line.startswith('#')] + ROOTS
    # Envoy 1.40 has these; once the package does, they can go.
    state = '[]envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue'
    later = {
        'envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget': [('budgetInterval', 3, 'google.protobuf.Duration')],
        'envoy.extensions.filters.http.set_filter_state.v3.Config': [('clearRouteCache', 2, 'bool')],
        'envoy.extensions.filters.network.set_filter_state.v3.Config': [('onDownstreamTlsHandshake', 2, state), ('onDownstreamData', 3, state)],
        'envoy.extensions.filters.http.fault.v3.FaultAbort': [('responseBody', 6, 'string')],
        'envoy.extensions.filters.http.header_mutation.v3.Mutations': [('formatters', 6, '[]envoy.config.core.v3.TypedExtensionConfig')],
        'envoy.extensions.formatter.cel.v3.Cel': [('celConfig', 1, 'envoy.config.core.v3.CelExpressionConfig')],
        'envoy.type.matcher.v3.AddressMatcher': [('invertMatch', 2, 'bool')],
        'envoy.config.cluster.v3.OutlierDetection': [('detectDegradedHosts', 26, 'google.protobuf.BoolValue')],
        'envoy.extensions.filters.http.stateful_session.v3.StatefulSession': [('statusOnStrictDestinationNotFound', 4, 'uint32')],
        'envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig': [('httpService', 8, 'envoy.config.core.v3.HttpService'),
            ('grpcService', 9, 'envoy.config.core.v3.GrpcService'), ('logName', 10, 'string'), ('bufferFlushInterval', 11, 'google.protobuf.Duration'),
            ('bufferSizeBytes', 12, 'google.protobuf.UInt32Value'), ('filterStateObjectsToLog', 13, '[]string'),
            ('customTags', 14, '[]envoy.type.tracing.v3.CustomTag'), ('resourceDetectors', 15, '[]envoy.config.core.v3.TypedExtensionConfig')],
        'envoy.config.core.v3.HealthCheck': [('name', 27, 'string')],
        'envoy.config.core.v3.HealthCheck.HttpHealthCheck': [('useAlpnProtocol', 15, 'bool')],
        f'{ROUTE}.RouteMatch': [('cookies', 17, f'[]{ROUTE}.CookieMatcher')],
        f'{ROUTE}.RedirectAction': [('pathRewrite', 10, 'string', 'path_rewrite_specifier')],
        f'{ROUTE}.RateLimit.Action': [('remoteAddressMatch', 13, f'{ROUTE}.RateLimit.Action.RemoteAddressMatch', 'action_specifier')],
        f'{ROUTE}.RateLimit.Action.GenericKey': [('defaultValue', 3, 'string')],
        f'{ROUTE}.RateLimit.Action.HeaderValueMatch': [('defaultValue', 5, 'string')],
        f'{ROUTE}.RateLimit.Action.QueryParameterValueMatch': [('defaultValue', 5, 'string')],
        f'{HTTP}.local_ratelimit.v3.LocalRateLimit': [('enableRetryAfterHeader', 19, 'bool')],
        'envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor': [('shadowMode', 3, 'bool')],
        f'{HTTP}.ratelimit.v3.RateLimit': [('metadataNamespace', 18, 'string'), ('enableRetryAfterHeader', 19, 'bool')],
        f'{HTTP}.basic_auth.v3.BasicAuth': [('allowMissing', 4, 'bool'), ('emitDynamicMetadata', 5, 'bool'), ('realm', 6, 'string')],
        f'{HTTP}.basic_auth.v3.BasicAuthPerRoute': [('realm', 2, 'string')],
        f'{JWT}.JwtRequirement': [('extractOnlyWithoutValidation', 7, f'{JWT}.ExtractOnlyWithoutValidation', 'requires_type')],
        f'{JWT}.JwtClaimToHeader': [('claimPath', 3, f'[]{JWT}.JwtClaimToHeader.PathSegment')],
        f'{HTTP}.ext_authz.v3.ExtAuthz': [('shadowMode', 32, 'bool'), ('clearRouteCacheHeaders', 34, '[]string')],
        f'{HTTP}.ext_authz.v3.HttpService': [('pathOverride', 10, 'string')],
        f'{HTTP}.router.v3.Router': [('rejectConnectRequestEarlyData', 10, 'google.protobuf.BoolValue')],
        f'{HTTP}.compressor.v3.Compressor.ResponseDirectionConfig': [('weakenEtagOnCompress', 6, 'bool')],
        f'{HCM}.HttpConnectionManager': [('forwardProtoConfig', 61, f'{HCM}.ForwardProtoConfig'), ('drainTimeoutJitter', 62, 'envoy.type.v3.Percent')],
        f'{HCM}.HttpConnectionManager.SetCurrentClientCertDetails': [('issuer', 8, 'bool')],
        'envoy.config.core.v3.HttpProtocolOptions': [('maxConnectionDurationJitter', 8, 'envoy.type.v3.Percent')],
    }
    new = {
        (ROUTE, 'CookieMatcher'): [('name', 1, 'string'), ('stringMatch', 2, 'envoy.type.matcher.v3.StringMatcher'), ('invertMatch', 3, 'bool')],
        (ROUTE, 'RateLimit.Action.RemoteAddressMatch'): [('descriptorValue', 1, 'string'), ('descriptorKey', 2, 'string'),
            ('defaultValue', 3, 'string'), ('addressMatcher', 4, 'envoy.type.matcher.v3.AddressMatcher')],
        (JWT, 'ExtractOnlyWithoutValidation'): [('verificationStatusHeader', 1, 'string')],
        (JWT, 'JwtClaimToHeader.PathSegment'): [('key', 1, 'string')],
        (HCM, 'ForwardProtoConfig'): [('httpsDestinationPorts', 1, '[]uint32'), ('httpDestinationPorts', 2, '[]uint32')],
    }
    emit(descriptor_pool.Default(), roots, os.path.join(HERE, '..', '..', 'packages', 'xds', 'src', 'gen'), "the API descriptors in PyPI's xds-protos", later, new)

if __name__ == '__main__': main()
