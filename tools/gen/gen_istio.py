#!/usr/bin/env python3
"""Writes packages/api/src/gen from Istio's API definitions. Run: npm run gen:istio -- FOLDER

FOLDER is the Go module istio.io/api, unpacked (go mod download -json istio.io/api@VERSION names it). Needs PyPI's grpcio-tools."""
import glob, os, sys, tempfile
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_tools import protoc
from emit import emit

HERE = os.path.dirname(os.path.abspath(__file__))
root = sys.argv[1]
protos = [os.path.relpath(p, root) for folder in ('networking', 'security', 'telemetry', 'extensions', 'type', 'mesh', 'meta')
          for p in glob.glob(os.path.join(root, folder, '**', '*.proto'), recursive=True)]
with tempfile.NamedTemporaryFile(suffix='.bin') as out:
    common = os.path.join(root, 'common-protos')
    if protoc.main(['protoc', '-I' + root, '-I' + common, '--include_imports', '--descriptor_set_out=' + out.name, *protos]): sys.exit('protoc failed')
    descriptors = descriptor_pb2.FileDescriptorSet.FromString(open(out.name, 'rb').read())
pool = descriptor_pool.DescriptorPool()
for f in descriptors.file: pool.Add(f) if hasattr(pool, 'Add') else pool.AddSerializedFile(f.SerializeToString())
roots = [line.strip() for line in open(os.path.join(HERE, 'istio-roots.txt')) if line.strip() and not line.startswith('#')]
emit(pool, roots, os.path.join(HERE, '..', '..', 'packages', 'api', 'src', 'gen'), 'the API definitions in the Go module istio.io/api')
