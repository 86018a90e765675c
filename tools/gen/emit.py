"""Turns protobuf descriptors into TypeScript interfaces in proto3-JSON shape and a schema for code that walks resources.

Interfaces: camelCase; 64-bit integers as strings, durations as "1.5s", wrappers as their bare value. schema.gen.json:
messages → field → {n: number, t: kind or message name, r: repeated, k: map key kind, o: oneof, s: name in the .proto file where the
JSON name does not tell it}; enums → value → number."""
import json, os, re
import google.protobuf.descriptor as d

F = d.FieldDescriptor
WRAPPERS = {'google.protobuf.' + k: v for k, v in {
    'UInt32Value': 'number', 'Int32Value': 'number', 'DoubleValue': 'number', 'FloatValue': 'number', 'BoolValue': 'boolean',
    'StringValue': 'string', 'UInt64Value': 'string | number', 'Int64Value': 'string | number', 'BytesValue': 'string'}.items()}
WELL_KNOWN = {**WRAPPERS, 'google.protobuf.Duration': 'Duration', 'google.protobuf.Timestamp': 'Timestamp', 'google.protobuf.Any': 'Any',
    'google.protobuf.Struct': 'JsonObject', 'google.protobuf.Value': 'JsonValue', 'google.protobuf.ListValue': 'readonly JsonValue[]',
    'google.protobuf.Empty': 'Empty', 'google.protobuf.NullValue': 'null', 'google.protobuf.FieldMask': 'string'}
SCALAR = {F.TYPE_DOUBLE: ('double', 'number'), F.TYPE_FLOAT: ('float', 'number'), F.TYPE_INT64: ('int64', 'string | number'),
    F.TYPE_UINT64: ('uint64', 'string | number'), F.TYPE_INT32: ('int32', 'number'), F.TYPE_FIXED64: ('fixed64', 'string | number'),
    F.TYPE_FIXED32: ('fixed32', 'number'), F.TYPE_BOOL: ('bool', 'boolean'), F.TYPE_STRING: ('string', 'string'), F.TYPE_BYTES: ('bytes', 'string'),
    F.TYPE_UINT32: ('uint32', 'number'), F.TYPE_SFIXED32: ('sfixed32', 'number'), F.TYPE_SFIXED64: ('sfixed64', 'string | number'),
    F.TYPE_SINT32: ('sint32', 'number'), F.TYPE_SINT64: ('sint64', 'string | number')}

def local(desc):
    return desc.full_name[len(desc.file.package) + 1:].replace('.', '_')
def ref(desc, package, imports):
    if desc.full_name in WELL_KNOWN: return WELL_KNOWN[desc.full_name]
    other = desc.file.package
    if other == package: return local(desc)
    imports.add(other); return other.replace('.', '_') + '.' + local(desc)
def ts(f, package, imports):
    if f.message_type is not None:
        if f.message_type.GetOptions().map_entry:
            return f"Readonly<Record<string, {ts(f.message_type.fields_by_name['value'], package, imports)}>>"
        return ref(f.message_type, package, imports)
    if f.enum_type is not None: return ref(f.enum_type, package, imports)
    return SCALAR[f.type][1]
def repeated(f):
    return (f.is_repeated if hasattr(f, 'is_repeated') else f.label == F.LABEL_REPEATED) and not (f.message_type is not None and f.message_type.GetOptions().map_entry)
def kind(f):
    if f.message_type is not None: return f.message_type.full_name
    if f.enum_type is not None: return f.enum_type.full_name
    return SCALAR[f.type][0]

def sorted_schema(schema):
    """Sorted by name, but the values of an enum as they are declared: of two with one number the first is the one printed."""
    tables = ({k: v if 'num' in part.lower() else {name: dict(sorted(row.items())) for name, row in sorted(v.items())} for k, v in sorted(table.items())}
        for part, table in sorted(schema.items()))
    return dict(zip(sorted(schema), tables))


def emit(pool, roots, OUT, origin, later={}, new={}, new_enums={}, values={}):
    """The last four are what the descriptors are too old to have, see envoy_later.py."""
    messages, enums, todo = {}, {}, []
    for root in roots: todo.append(pool.FindMessageTypeByName(root))
    while todo:
        m = todo.pop()
        if m.full_name in messages or m.full_name in WELL_KNOWN: continue
        messages[m.full_name] = m
        for f in m.fields:
            t = f.message_type
            if t is not None and t.GetOptions().map_entry: t = t.fields_by_name['value'].message_type
            if t is not None: todo.append(t)
            for e in [f.enum_type] + ([f.message_type.fields_by_name['value'].enum_type] if f.message_type is not None and f.message_type.GetOptions().map_entry else []):
                if e is not None: enums[e.full_name] = e


    packages, schema = {}, {'messages': {}, 'enums': {}}
    plain = {k: t for k, t in SCALAR.values()} | WELL_KNOWN
    made = {f'{package}.{name}': (package, name) for package, name in [*new, *new_enums]}
    def add_fields(extra, package, lines, imports, fields):
        for name, number, kind_of, *oneof in extra:
            many, by_name = kind_of.startswith('[]'), kind_of.startswith('{}')
            kind_of = kind_of.removeprefix('[]').removeprefix('{}')
            if kind_of in made:
                home, local_name = made[kind_of]
                t = local_name.replace('.', '_')
                if home != package: imports.add(home); t = home.replace('.', '_') + '.' + t
            else: t = plain[kind_of] if kind_of in plain else ref(messages[kind_of], package, imports)
            lines.append(f"  readonly {name}?: {f'readonly {t}[]' if many else f'Readonly<Record<string, {t}>>' if by_name else t};")
            fields[name] = {'n': number, 't': kind_of} | ({'r': 1} if many else {}) | ({'k': 'string'} if by_name else {}) | ({'o': oneof[0]} if oneof else {})
    for full, m in sorted(messages.items()):
        lines, imports = packages.setdefault(m.file.package, ([], set()))
        lines.append(f'/** {full} */\nexport interface {local(m)} {{')
        fields = {}
        for f in m.fields:
            if f.GetOptions().deprecated and 'hidden_envoy_deprecated' in f.name: continue
            t = ts(f, m.file.package, imports)
            if repeated(f): t = f'readonly ({t})[]' if ('|' in t or t.startswith('readonly')) else f'readonly {t}[]'
            lines.append(f'  readonly {f.json_name}?: {t};')
            row = {'n': f.number, 't': kind(f)}
            if f.message_type is not None and f.message_type.GetOptions().map_entry:
                row = {'n': f.number, 't': kind(f.message_type.fields_by_name['value']), 'k': kind(f.message_type.fields_by_name['key'])}
            if repeated(f): row['r'] = 1
            if f.containing_oneof is not None: row['o'] = f.containing_oneof.name
            if re.sub('[A-Z]', lambda m: '_' + m.group().lower(), f.json_name) != f.name: row['s'] = f.name
            fields[f.json_name] = row
        add_fields(later.get(full, []), m.file.package, lines, imports, fields)
        lines.append('}\n'); schema['messages'][full] = fields
    for (package, name), extra in new.items():
        lines, imports = packages.setdefault(package, ([], set()))
        lines.append(f"/** {package}.{name} */\nexport interface {name.replace('.', '_')} {{")
        add_fields(extra, package, lines, imports, schema['messages'].setdefault(f'{package}.{name}', {}))
        lines.append('}\n')
    numbers = {full: (e.file.package, local(e), {v.name: v.number for v in e.values} | values.get(full, {})) for full, e in enums.items()}
    for (package, name), rows in new_enums.items(): numbers[f'{package}.{name}'] = (package, name.replace('.', '_'), rows)
    for full, (package, name, rows) in sorted(numbers.items()):
        if full.startswith('google.protobuf.'): continue
        lines, _ = packages.setdefault(package, ([], set()))
        lines.append(f'/** {full} */\nexport type {name} =\n' + '\n'.join(f"  | '{v}'" for v in rows) + ';\n')
        schema['enums'][full] = rows

    os.makedirs(OUT, exist_ok=True)
    for f in os.listdir(OUT):
        if f.endswith('.ts'): os.unlink(os.path.join(OUT, f))
    for package, (lines, imports) in packages.items():
        body = '\n'.join(lines)
        used = [n for n in ('Any', 'Duration', 'Empty', 'JsonObject', 'JsonValue', 'Timestamp') if re.search(rf': (readonly |Readonly<Record<string, )?{n}\b|readonly {n}\b|, {n}>', body)]
        head = '// Generated by tools/gen from ' + origin + '. Do not edit.\n'
        if used: head += f"import type {{ {', '.join(used)} }} from '../json.ts';\n"
        for i in sorted(imports): head += f"import type * as {i.replace('.', '_')} from './{i}.ts';\n"
        open(os.path.join(OUT, package + '.ts'), 'w').write(head + '\n' + body)
    with open(os.path.join(OUT, 'schema.gen.json'), 'w') as out: json.dump(sorted_schema(schema), out, separators=(',', ':'))
    print(len(messages), 'messages', len(enums), 'enums', len(packages), 'files', os.path.getsize(os.path.join(OUT, 'schema.gen.json')), 'bytes of schema')
    return schema['messages'].keys()
