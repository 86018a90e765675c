"""Reads file descriptors out of Go modules: protoc-gen-go puts each into its .pb.go as a string constant, older ones as a
list of bytes."""
import glob, json, os, re, subprocess, tempfile
from google.protobuf import descriptor_pb2

RAW = re.compile(r'_rawDesc = "" \+\n((?:\t".*" ?\+?\n)+)')
BYTES = re.compile(r'_rawDesc = \[\]byte\{([^}]*)\}')
ESCAPES = {'a': 7, 'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11, '\\': 92, '"': 34, "'": 39}

def download(module):
    """The folder of `path@version`, fetched by Go's own client."""
    with tempfile.TemporaryDirectory() as folder:
        out = subprocess.run(['go', 'mod', 'download', '-json', module], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(out.stdout)['Dir']

def unquote(text):
    """The bytes of an interpreted Go string literal."""
    source, out, i = text[1:-1].encode(), bytearray(), 0
    while i < len(source):
        if source[i] != 92: out.append(source[i]); i += 1; continue
        letter = chr(source[i + 1]); i += 2
        if letter == 'x': out.append(int(source[i:i + 2], 16)); i += 2
        elif letter in '01234567': out.append(int(source[i - 1:i + 2], 8)); i += 2
        elif letter in 'uU': size = 4 if letter == 'u' else 8; out += chr(int(source[i:i + size], 16)).encode(); i += size
        else: out.append(ESCAPES[letter])
    return bytes(out)

def files(module):
    """Every FileDescriptorProto in a module, by name."""
    found = {}
    for path in sorted(glob.glob(os.path.join(download(module), '**', '*.pb.go'), recursive=True)):
        source = open(path, encoding='utf-8').read()
        match, older = RAW.search(source), BYTES.search(source)
        if match is not None: raw = b''.join(unquote(line.strip().rstrip('+').strip()) for line in match.group(1).splitlines())
        elif older is not None: raw = bytes(int(each, 16) for each in re.findall('0x(..)', older.group(1)))
        else: continue  # Validation and gRPC code next to it.
        file = descriptor_pb2.FileDescriptorProto.FromString(raw)
        found[file.name] = file
    return found
