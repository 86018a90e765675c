"""The rules that Envoy's API has for its fields (protoc-gen-validate), as rules.gen.json: message → {f: field → rule, o: oneofs of
which one must be set}. A rule: min and max (characters of a string, entries of a list or map), bytes (most of a string), in, not,
gt, gte, lt, lte (durations in seconds), set (must be there), skip (when empty), one (no entry twice), is (the only value),
head ('name' or 'value' of an HTTP field, '!' after it when strictly), re, starts, ends, and of for entries, keys for a map's."""
import json, os
from validate import validate_pb2 as validate

# What Envoy 1.40 asks no more, and the descriptors still say.
LB = 'envoy.extensions.load_balancing_policies'
RELAXED = {
    'envoy.type.v3.TokenBucket': ['maxTokens'],
    'envoy.extensions.internal_redirect.allow_listed_routes.v3.AllowListedRoutesConfig': ['allowedRouteNames'],
    f'{LB}.common.v3.ConsistentHashingLbConfig': ['hashBalanceFactor'],
    f'{LB}.common.v3.LocalityLbConfig': ['locality_config_specifier'],
    f'{LB}.least_request.v3.LeastRequest': ['choiceCount'],
    f'{LB}.ring_hash.v3.RingHash': ['hashBalanceFactor', 'maximumRingSize', 'minimumRingSize'],
    'envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig': ['trustDomains'],
    'envoy.extensions.filters.http.jwt_authn.v3.JwtClaimToHeader': ['claimName'],
    'envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig': ['commonConfig'],
}
# Rules of fields that the descriptors do not have yet (envoy_later.py), as Envoy 1.40 has them.
REALM = {'re': '^[^\\x00-\\x1f\\x7f]*$'}
LATER = {
    'envoy.config.route.v3.RouteConfiguration': {'vhostHeader': {'head': 'name'}},
    'envoy.config.core.v3.Http2ProtocolOptions': {'maxHeaderFieldSizeKb': {'gte': 64, 'lte': 256}},
    'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz': {'clearRouteCacheHeaders': {'of': {'min': 1, 'head': 'name'}}},
    'envoy.extensions.filters.http.basic_auth.v3.BasicAuth': {'realm': REALM},
    'envoy.extensions.filters.http.basic_auth.v3.BasicAuthPerRoute': {'realm': REALM},
    'envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.RateLimitOverride': {'unitMultiplier': {'gt': 0}},
}
REGEXES = {0: None, 1: 'name', 2: 'value'}

def seconds(duration): return duration.seconds + duration.nanos / 1e9

def compact(rules, field):
    out = {}
    if rules.message.required: out['set'] = 1
    kind = rules.WhichOneof('type')
    if kind is None: return out
    rule = getattr(rules, kind)
    given = {f.name for f, _ in rule.ListFields()}
    if kind == 'duration':
        for key in ('gt', 'gte', 'lt', 'lte'):
            if key in given: out[key] = seconds(getattr(rule, key))
        if rule.required: out['set'] = 1
    elif kind in ('repeated', 'map'):
        low, high = ('min_items', 'max_items') if kind == 'repeated' else ('min_pairs', 'max_pairs')
        if low in given: out['min'] = getattr(rule, low)
        if high in given: out['max'] = getattr(rule, high)
        if kind == 'repeated':
            if rule.unique: out['one'] = 1
            of = compact(rule.items, field) if 'items' in given else {}
        else:
            of = compact(rule.values, field) if 'values' in given else {}
            keys = compact(rule.keys, field) if 'keys' in given else {}
            if keys: out['keys'] = keys
        if of: out['of'] = of
    elif kind == 'enum':
        if 'not_in' in given:
            names = {v.number: v.name for v in field.enum_type.values}
            out['not'] = [names[number] for number in rule.not_in]
    elif kind == 'any':
        if rule.required: out['set'] = 1
    else:
        for key in ('gt', 'gte', 'lt', 'lte'):
            if key in given: out[key] = getattr(rule, key)
        for key, name in (('min_len', 'min'), ('max_len', 'max'), ('max_bytes', 'bytes'), ('pattern', 're'), ('prefix', 'starts'), ('suffix', 'ends'), ('const', 'is')):
            if key in given and not isinstance(getattr(rule, key), bytes): out[name] = getattr(rule, key)
        if 'in' in given: out['in'] = list(getattr(rule, 'in'))
        if getattr(rule, 'ignore_empty', False): out['skip'] = 1
        if kind == 'string' and REGEXES.get(rule.well_known_regex) is not None:
            out['head'] = REGEXES[rule.well_known_regex] + ('!' if rule.strict else '')
    return out

def write_rules(pool, names, out):
    rules = {}
    for name in sorted(names):
        try: message = pool.FindMessageTypeByName(name)
        except KeyError: continue
        fields = {}
        for field in message.fields:
            rule = compact(field.GetOptions().Extensions[validate.rules], field)
            # What is there in a oneof is there.
            if field.containing_oneof is not None: rule.pop('set', None)
            if rule and field.json_name not in RELAXED.get(name, []): fields[field.json_name] = rule
        fields |= LATER.get(name, {})
        oneofs = [oneof.name for oneof in message.oneofs if oneof.name not in RELAXED.get(name, []) and oneof.GetOptions().Extensions[validate.required]]
        row = ({'f': dict(sorted(fields.items()))} if fields else {}) | ({'o': oneofs} if oneofs else {})
        if row: rules[name] = row
    with open(os.path.join(out, 'rules.gen.json'), 'w') as file: json.dump(rules, file, separators=(',', ':'))
