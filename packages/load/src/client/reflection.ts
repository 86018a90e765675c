import type { Client as Channel, ServiceError } from '@grpc/grpc-js';
import { status as Status } from '@grpc/grpc-js';
import {
  fromJSON,
  loadFileDescriptorSetFromBuffer,
  type MethodDefinition,
  type PackageDefinition,
} from '@grpc/proto-loader';

/** Fields by their JSON names, enumerations as texts. */
export const LOADING = { keepCase: false, longs: String, enums: String, defaults: true, oneofs: true } as const;
const VERSIONS = ['grpc.reflection.v1', 'grpc.reflection.v1alpha'] as const;

interface Answer {
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
  readonly errorResponse?: { readonly errorMessage: string };
}
type Question = { readonly fileContainingSymbol: string } | { readonly fileByFilename: string };

/**
 * Asks a server what a service is, by gRPC’s reflection API; `deadline` in milliseconds since the epoch.
 * @throws Error
 */
export async function reflect(channel: Channel, service: string, deadline: number): Promise<PackageDefinition> {
  for (const version of VERSIONS) {
    try {
      return loadFileDescriptorSetFromBuffer(await descriptors(channel, version, service, deadline), LOADING);
    } catch (error) {
      const unimplemented = (error as Partial<ServiceError>).code === Status.UNIMPLEMENTED;
      if (!unimplemented) throw error instanceof Error && 'details' in error ? new Error(String(error.details)) : error;
    }
  }
  throw new Error('the server has no reflection; name a .proto file');
}

/** A FileDescriptorSet of the file of a service and all that it imports. */
async function descriptors(channel: Channel, version: string, service: string, deadline: number): Promise<Buffer> {
  const files = new Map<string, Buffer>();
  const missing: Question[] = [{ fileContainingSymbol: service }];
  for (let question = missing.pop(); question !== undefined; question = missing.pop()) {
    if ('fileByFilename' in question && files.has(question.fileByFilename)) continue;
    const answer = await ask(channel, version, question, deadline);
    if (answer.fileDescriptorResponse === undefined) {
      throw new Error(answer.errorResponse?.errorMessage ?? `the server does not know \`${service}\``);
    }
    const received = answer.fileDescriptorResponse.fileDescriptorProto.map((bytes) => ({ bytes, ...headOf(bytes) }));
    for (const { name, bytes } of received) files.set(name, bytes);
    for (const name of received.flatMap(({ imports }) => imports)) {
      if (!files.has(name)) missing.push({ fileByFilename: name });
    }
  }
  return Buffer.concat([...files.values()].flatMap((bytes) => [Buffer.of(0x0a), varint(bytes.length), bytes]));
}

function ask(channel: Channel, version: string, question: Question, deadline: number): Promise<Answer> {
  const { path, requestSerialize, responseDeserialize } = methodOf(version);
  return new Promise((resolve, reject) => {
    const stream = channel.makeBidiStreamRequest<object, object>(path, requestSerialize, responseDeserialize, {
      deadline,
    });
    stream.on('data', (answer: Answer) => {
      resolve(answer);
      stream.cancel();
    });
    stream.on('error', reject);
    stream.on('end', () => reject(new Error('the server answered nothing')));
    stream.write(question);
    stream.end();
  });
}

function methodOf(version: string): MethodDefinition<object, object> {
  const field = (type: string, id: number, rule?: string): object => ({
    type,
    id,
    ...(rule === undefined ? {} : { rule }),
  });
  const reflection = {
    ServerReflection: {
      methods: {
        ServerReflectionInfo: {
          requestType: 'ServerReflectionRequest',
          responseType: 'ServerReflectionResponse',
          requestStream: true,
          responseStream: true,
        },
      },
    },
    ServerReflectionRequest: {
      oneofs: { messageRequest: { oneof: ['fileByFilename', 'fileContainingSymbol'] } },
      fields: {
        host: field('string', 1),
        fileByFilename: field('string', 3),
        fileContainingSymbol: field('string', 4),
      },
    },
    ServerReflectionResponse: {
      oneofs: { messageResponse: { oneof: ['fileDescriptorResponse', 'errorResponse'] } },
      fields: {
        fileDescriptorResponse: field('FileDescriptorResponse', 4),
        errorResponse: field('ErrorResponse', 7),
      },
    },
    FileDescriptorResponse: { fields: { fileDescriptorProto: field('bytes', 1, 'repeated') } },
    ErrorResponse: { fields: { errorCode: field('int32', 1), errorMessage: field('string', 2) } },
  };
  const nested = version.split('.').reduceRight<object>((inner, name) => ({ [name]: { nested: inner } }), reflection);
  const definitions = fromJSON({ nested } as Parameters<typeof fromJSON>[0]);
  const service = definitions[`${version}.ServerReflection`] as Record<string, MethodDefinition<object, object>>;
  return service['ServerReflectionInfo']!;
}

/** Name (field 1) and imports (field 3) of a FileDescriptorProto. */
function headOf(bytes: Buffer): { readonly name: string; readonly imports: readonly string[] } {
  let at = 0;
  let name = '';
  const imports: string[] = [];
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = number();
    if ((tag & 7) !== 2) {
      number();
      continue;
    }
    const length = number();
    const text = (): string => bytes.toString('utf8', at, at + length);
    if (tag >> 3 === 1) name = text();
    if (tag >> 3 === 3) imports.push(text());
    at += length;
  }
  return { name, imports };
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 128)) bytes.push((left & 0x7f) | 0x80);
  bytes.push(left);
  return Buffer.from(bytes);
}
