#!/usr/bin/env python3
"""Writes packages/xds/src/gen from Envoy's own API descriptors (PyPI: xds-protos) and istio_types.py. Run: npm run gen:xds"""
import importlib, os
from google.protobuf import descriptor_pool
from emit import emit
from envoy_later import ENUMS, LATER, NEW, VALUES
from istio_types import ROOTS, add_istio
from rules import write_rules

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
    out = os.path.join(HERE, '..', '..', 'packages', 'xds', 'src', 'gen')
    names = emit(descriptor_pool.Default(), roots, out, "the API descriptors in PyPI's xds-protos", LATER, NEW, ENUMS, VALUES)
    write_rules(descriptor_pool.Default(), names, out)

if __name__ == '__main__': main()
