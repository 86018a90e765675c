#!/usr/bin/env python3
"""Writes what the codec may need beyond schema.gen.json: packages/xds/src/gen/rest.gen.json, in the same shape, has all other
messages of Envoy's v3 API with its contrib extensions, and under `more` the fields that they have given to messages of
schema.gen.json since. Also packages/testkit/src/protobuf/descriptors.binpb.gz, all of it as a FileDescriptorSet for tests
against other implementations. Needs Go (for its module client) and PyPI's xds-protos. Run: npm run gen:xds-rest"""
import gzip, json, os, re
from google.protobuf import descriptor_pb2, descriptor_pool
from emit import WELL_KNOWN, sorted_schema
from gen_xds import HERE, load_all
from go_descriptors import files as go_files
from istio_types import PACKAGES, add_istio

# Envoy's API as of the Envoy that the tests run, and its contrib extensions at about the same time. The other modules are what they import.
MODULES = ['github.com/envoyproxy/go-control-plane/envoy@v1.40.0',
    'github.com/envoyproxy/go-control-plane/contrib@v1.36.1-0.20260729145720-a2d8c7492908',
    'github.com/prometheus/client_model@v0.6.3']
F = descriptor_pb2.FieldDescriptorProto
OUT = os.path.join(HERE, '..', '..', 'packages', 'xds', 'src')

def python_files():
    """What the installed packages know: Envoy's API of an older day, and what it imports."""
    found, pool = {}, descriptor_pool.Default()
    def add(file):
        if file.name in found: return
        copy = found[file.name] = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(copy)
        for other in file.dependencies: add(other)
    load_all()
    add_istio(pool)
    import sys
    for name, module in list(sys.modules.items()):
        if name.endswith('_pb2') and hasattr(module, 'DESCRIPTOR'): add(module.DESCRIPTOR)
    for package in PACKAGES: add(pool.FindFileByName(f'mizzen/{package}.proto'))
    return found

def wanted(file):
    """Envoy's v3 API and all it is made of; not v2, nor what only describes the .proto files themselves."""
    if file.package.startswith('envoy.'): return re.search(r'\.v3(alpha)?(\.|$)|^envoy\.tcp\.', file.package) is not None
    return re.search(r'^validate$|annotations|^google\.(api|protobuf)$|^opencensus\.', file.package) is None

def in_order(all_files):
    """Files that are wanted, after those that they import."""
    done, order = set(), []
    def visit(name):
        if name in done: return
        done.add(name)
        if name not in all_files: missing.add(name); return
        for other in all_files[name].dependency: visit(other)
        order.append(all_files[name])
    missing = set()
    for name in sorted(all_files):
        if wanted(all_files[name]): visit(name)
    if missing: raise SystemExit('no descriptors for ' + ', '.join(sorted(missing)))
    return order

def name_fields(messages):
    """Gives fields the JSON name that protoc would: Python's descriptors come without."""
    for m in messages:
        for f in m.field:
            if not f.json_name: f.json_name = re.sub('_+(.?)', lambda g: g.group(1).upper(), f.name)
        name_fields(m.nested_type)

def kind(f):
    if f.type in (F.TYPE_MESSAGE, F.TYPE_ENUM): return f.type_name[1:]
    return F.Type.Name(f.type)[len('TYPE_'):].lower()

def collect(file, messages, enums):
    def add_enum(e, prefix): enums[prefix + e.name] = {v.name: v.number for v in e.value}
    def add(m, prefix):
        full = prefix + m.name
        entries = {f'{full}.{n.name}': n for n in m.nested_type if n.options.map_entry}
        fields = {}
        for f in m.field:
            row = {'n': f.number, 't': kind(f)}
            entry = entries.get(row['t'])
            if entry is not None:
                key, value = sorted(entry.field, key=lambda each: each.number)
                row = {'n': f.number, 't': kind(value), 'k': kind(key)}
            elif f.label == F.LABEL_REPEATED: row['r'] = 1
            if f.HasField('oneof_index'): row['o'] = m.oneof_decl[f.oneof_index].name
            elif file.syntax != 'proto3' and f.label == F.LABEL_OPTIONAL: row['o'] = '_' + f.name
            if re.sub('[A-Z]', lambda g: '_' + g.group().lower(), f.json_name) != f.name: row['s'] = f.name
            fields[f.json_name] = row
        messages[full] = fields
        for n in m.nested_type:
            if not n.options.map_entry: add(n, full + '.')
        for e in m.enum_type: add_enum(e, full + '.')
    prefix = file.package + '.' if file.package else ''
    for m in file.message_type: add(m, prefix)
    for e in file.enum_type: add_enum(e, prefix)

def main():
    go = {name: file for module in MODULES for name, file in go_files(module).items()}
    # Of Envoy's packages Go's files are the ones: older ones may have other numbers, or be gone.
    ours = {file.package for file in go.values()}
    all_files = {name: file for name, file in python_files().items() if not file.package.startswith('envoy.') and file.package not in ours} | go
    order = in_order(all_files)
    messages, enums = {}, {}
    for file in order:
        name_fields(file.message_type)
        if wanted(file): collect(file, messages, enums)
    first = json.load(open(os.path.join(OUT, 'gen', 'schema.gen.json')))
    rest = {'messages': {}, 'enums': {}, 'more': {}, 'moreEnums': {}}
    for name, fields in messages.items():
        if name in WELL_KNOWN: continue
        known = first['messages'].get(name)
        if known is None: rest['messages'][name] = fields; continue
        more = {field: row for field, row in fields.items() if field not in known}
        if more: rest['more'][name] = more
        for field, row in fields.items():
            if field in known and known[field] != row: print('differs:', name, field, known[field], row)
    for name, values in enums.items():
        known = first['enums'].get(name)
        if known is None: rest['enums'][name] = values; continue
        more = {value: number for value, number in values.items() if value not in known}
        if more: rest['moreEnums'][name] = more
    path = os.path.join(OUT, 'gen', 'rest.gen.json')
    with open(path, 'w') as out: json.dump(sorted_schema(rest), out, separators=(',', ':'))
    folder = os.path.join(HERE, '..', '..', 'packages', 'testkit', 'src', 'protobuf')
    os.makedirs(folder, exist_ok=True)
    descriptors = descriptor_pb2.FileDescriptorSet(file=order)
    with open(os.path.join(folder, 'descriptors.binpb.gz'), 'wb') as out:
        out.write(gzip.compress(descriptors.SerializeToString(), 9, mtime=0))
    print({k: len(v) for k, v in rest.items()}, os.path.getsize(path), 'bytes')

main()
