import { join } from 'node:path';
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { realClock } from './clock.ts';

interface Asked {
  readonly userName: string;
  readonly kind: string;
  readonly delayMs: string;
}

export interface GreetServer {
  readonly port: number;
  /** Names of those who were greeted. */
  readonly greeted: string[];
  stop(): void;
}

export const protoFolder: string = join(import.meta.dirname, '../testdata');

/** grpc-js's server with the Greeter of testdata/greet.proto; `nobody` is not found. */
export async function startGreetServer({
  reflection,
  port: wanted = 0,
}: {
  readonly reflection: boolean;
  readonly port?: number;
}): Promise<GreetServer> {
  const definition = loadSync('greet.proto', {
    includeDirs: [protoFolder],
    longs: String,
    enums: String,
    defaults: true,
  });
  const loaded = loadPackageDefinition(definition) as unknown as {
    readonly greet: { readonly Greeter: { readonly service: Parameters<Server['addService']>[0] } };
  };
  const greeted: string[] = [];
  const server = new Server();
  server.addService(loaded.greet.Greeter.service, {
    Hello({ request, metadata }: ServerUnaryCall<Asked, object>, answer: sendUnaryData<object>) {
      greeted.push(request.userName);
      if (request.userName === 'nobody') return answer({ code: status.NOT_FOUND, details: 'who?' });
      const from = String(metadata.get('x-user')[0] ?? '');
      const reply = { text: `hello ${request.userName}${from}`, kind: request.kind };
      realClock.after(Number(request.delayMs), () => answer(null, reply));
    },
    Many() {},
  });
  if (reflection) new ReflectionService(definition).addToServer(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${wanted}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, greeted, stop: () => server.forceShutdown() };
}

if (import.meta.main) await startGreetServer({ reflection: true, port: Number(process.env['PORT']) });
