import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  createFileRegistry,
  createRegistry,
  fromBinary,
  type DescMessage,
  type FileRegistry,
  type Registry,
} from '@bufbuild/protobuf';
import { file_google_protobuf_field_mask, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

let files: FileRegistry | undefined;

function envoyFiles(): FileRegistry {
  if (files === undefined) {
    const bytes = gunzipSync(readFileSync(new URL('./descriptors.binpb.gz', import.meta.url)));
    files = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  }
  return files;
}

/** Envoy's whole API for another implementation of protobuf, from the descriptors that Envoy's authors publish. */
export function envoyRegistry(): Registry {
  // Nothing in Envoy's API has a FieldMask, but an Any may.
  return createRegistry(envoyFiles(), file_google_protobuf_field_mask);
}

/** Every message of Envoy's v3 API and of what it is made of. */
export function envoyMessages(): DescMessage[] {
  const found: DescMessage[] = [];
  const add = (message: DescMessage): void => {
    found.push(message);
    for (const nested of message.nestedMessages) if (nested.proto.options?.mapEntry !== true) add(nested);
  };
  for (const file of envoyFiles().files) {
    // What only describes .proto files, and what has a JSON of its own.
    if (/^validate$|annotations|^google\.(api|protobuf)$/.test(file.proto.package)) continue;
    for (const message of file.messages) add(message);
  }
  return found;
}
