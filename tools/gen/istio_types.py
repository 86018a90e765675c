"""Istio's own messages that proxies and the certificate service exchange; no PyPI package has them.

Names and numbers are those of istio.io/api v1.32.0 (security/v1alpha1/ca.proto, envoy/config/filter/http/alpn/v2alpha1,
envoy/config/filter/network/metadata_exchange, envoy/config/filter/network/tcp_cluster_rewrite/v2alpha1,
envoy/extensions/stats); peer metadata and additional_labels are in Envoy's contrib extensions
(go-control-plane/contrib, filters/http/peer_metadata and filters/network/metadata_exchange).

A field is `name number type`; the type is a scalar, a message or an enum (of the same package without a leading name),
`[]` before it for repeated, `map<K,V>` for a map, and `@oneof` after it for its oneof."""
from google.protobuf import descriptor_pb2, duration_pb2, struct_pb2  # noqa: F401 (the pool must know the last two)

F = descriptor_pb2.FieldDescriptorProto
SCALARS = {'bool': F.TYPE_BOOL, 'string': F.TYPE_STRING, 'int32': F.TYPE_INT32, 'int64': F.TYPE_INT64}

PACKAGES = {
    'istio.v1.auth': {
        'IstioCertificateRequest': 'csr 1 string; validity_duration 3 int64; metadata 4 google.protobuf.Struct',
        'IstioCertificateResponse': 'cert_chain 1 []string',
    },
    'istio.envoy.config.filter.http.alpn.v2alpha1': {
        'FilterConfig': 'alpn_override 1 []FilterConfig.AlpnOverride',
        'FilterConfig.AlpnOverride': 'upstream_protocol 1 FilterConfig.Protocol; alpn_override 2 []string',
        'FilterConfig.Protocol': ['HTTP10', 'HTTP11', 'HTTP2'],
    },
    'istio.envoy.config.filter.network.tcp_cluster_rewrite.v2alpha1': {
        'TcpClusterRewrite': 'cluster_pattern 1 string; cluster_replacement 2 string',
    },
    'envoy.tcp.metadataexchange.config': {
        'MetadataExchange': 'protocol 1 string; enable_discovery 2 bool; additional_labels 3 []string',
    },
    'io.istio.http.peer_metadata': {
        'Config': 'downstream_discovery 1 []Config.DiscoveryMethod; upstream_discovery 2 []Config.DiscoveryMethod; '
                  'downstream_propagation 3 []Config.PropagationMethod; upstream_propagation 4 []Config.PropagationMethod; '
                  'shared_with_upstream 5 bool; additional_labels 6 []string',
        'Config.Baggage': '',
        'Config.WorkloadDiscovery': '',
        'Config.UpstreamFilterState': 'peer_metadata_key 1 string',
        'Config.IstioHeaders': 'skip_external_clusters 1 bool',
        'Config.DiscoveryMethod': 'baggage 1 Config.Baggage @method_specifier; '
                                  'workload_discovery 2 Config.WorkloadDiscovery @method_specifier; '
                                  'istio_headers 3 Config.IstioHeaders @method_specifier; '
                                  'upstream_filter_state 4 Config.UpstreamFilterState @method_specifier',
        'Config.PropagationMethod': 'istio_headers 1 Config.IstioHeaders @method_specifier; baggage 2 Config.Baggage @method_specifier',
    },
    'stats': {
        'MetricConfig': 'dimensions 1 map<string,string>; name 2 string; tags_to_remove 3 []string; match 4 string; drop 5 bool',
        'MetricType': ['COUNTER', 'GAUGE', 'HISTOGRAM'],
        'MetricDefinition': 'name 1 string; value 2 string; type 3 MetricType',
        'Reporter': ['UNSPECIFIED', 'SERVER_GATEWAY'],
        'PluginConfig': 'debug 1 bool; max_peer_cache_size 2 int32; stat_prefix 3 string; field_separator 4 string; '
                        'value_separator 5 string; disable_host_header_fallback 6 bool; '
                        'tcp_reporting_duration 7 google.protobuf.Duration; metrics 8 []MetricConfig; '
                        'definitions 9 []MetricDefinition; reporter 10 Reporter; '
                        'rotation_interval 11 google.protobuf.Duration; graceful_deletion_interval 12 google.protobuf.Duration',
    },
}

ROOTS = [f'{package}.{name}' for package, table in PACKAGES.items() for name, what in table.items() if isinstance(what, str) and '.' not in name]

def kind(field, text, package, table):
    if text in SCALARS: field.type = SCALARS[text]; return
    field.type_name = '.' + (text if text.startswith('google.') else f'{package}.{text}')
    field.type = F.TYPE_ENUM if isinstance(table.get(text), list) else F.TYPE_MESSAGE

def add_field(message, line, full, package, table):
    name, number, text, *oneof = line.split()
    field = message.field.add(name=name, number=int(number), label=F.LABEL_OPTIONAL)
    if oneof:
        names = [o.name for o in message.oneof_decl]
        if oneof[0][1:] not in names: message.oneof_decl.add(name=oneof[0][1:]); names.append(oneof[0][1:])
        field.oneof_index = names.index(oneof[0][1:])
    if text.startswith('map<'):
        entry = message.nested_type.add(name=''.join(w.capitalize() for w in name.split('_')) + 'Entry')
        entry.options.map_entry = True
        for i, part in enumerate(text[4:-1].split(','), 1):
            kind(entry.field.add(name=('key', 'value')[i - 1], number=i, label=F.LABEL_OPTIONAL), part, package, table)
        field.label, field.type, field.type_name = F.LABEL_REPEATED, F.TYPE_MESSAGE, f'.{package}.{full}.{entry.name}'
        return
    if text.startswith('[]'): field.label, text = F.LABEL_REPEATED, text[2:]
    kind(field, text, package, table)

def add_istio(pool):
    """Adds a file for each package to a descriptor pool."""
    for package, table in PACKAGES.items():
        file = descriptor_pb2.FileDescriptorProto(name=f'mizzen/{package}.proto', package=package, syntax='proto3')
        file.dependency.extend(['google/protobuf/duration.proto', 'google/protobuf/struct.proto'])
        made = {'': file}
        for name, what in table.items():
            parent, _, last = name.rpartition('.')
            outer = made[parent]
            if isinstance(what, list):
                enum = outer.enum_type.add(name=last)
                for number, value in enumerate(what): enum.value.add(name=value, number=number)
                continue
            message = (outer.message_type if parent == '' else outer.nested_type).add(name=last)
            made[name] = message
            for line in filter(None, (part.strip() for part in what.split(';'))): add_field(message, line, name, package, table)
        pool.AddSerializedFile(file.SerializeToString())
