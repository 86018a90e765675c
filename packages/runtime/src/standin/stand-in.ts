import type { Server as HttpServer } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import type { StandInSpec } from '../kubelet/stand-ins.ts';
import { http } from '../node-http.ts';
import { answerHttp } from './http.ts';
import { answerHttp2 } from './http2.ts';
import { echo } from './echo.ts';
import { sniff } from './sniff.ts';

export interface StandIn {
  /** Lets requests under way finish (up to 2 s), then closes everything. */
  close(): Promise<void>;
}

const CLOSE_MS = 2_000;

/** Listens on every port of a stand-in; what comes is told apart by its first bytes. Rejects if a port is taken. */
export async function startStandIn(spec: StandInSpec): Promise<StandIn> {
  const ports = await Promise.allSettled(
    Object.entries(spec.ports).map(([containerPort, port]) => listen(spec, Number(containerPort), port)),
  );
  const started = ports.filter((p) => p.status === 'fulfilled').map((p) => p.value);
  const close = async (): Promise<void> => {
    await Promise.all(started.map((p) => p.close()));
  };
  const failed = ports.find((p) => p.status === 'rejected');
  if (failed !== undefined) {
    await close();
    throw failed.reason as Error;
  }
  return { close };
}

function listen(spec: StandInSpec, containerPort: number, port: number): Promise<StandIn> {
  const identity = { ...spec, containerPort };
  const http1 = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    answerHttp(identity, request, response);
  });
  const http2 = createHttp2Server();
  http2.on('stream', (stream: ServerHttp2Stream, headers) => answerHttp2(identity, stream, headers));
  http2.on('sessionError', () => undefined);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    sniff(socket, (protocol) => {
      if (protocol === 'http') {
        http1.emit('connection', socket);
        socket.resume();
      } else if (protocol === 'http2') http2.emit('connection', socket);
      else echo(identity, socket);
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: spec.address, port, exclusive: true }, () => {
      resolve({ close: () => close(server, http1, http2, sockets) });
    });
  });
}

function close(server: Server, http1: HttpServer, http2: Http2Server, sockets: Set<Socket>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, CLOSE_MS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    http1.closeIdleConnections();
    // Connections handed over by hand are not all known to the HTTP server as idle.
    http1.on('request', (_request, response) => response.setHeader('connection', 'close'));
    http2.close();
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  });
}
