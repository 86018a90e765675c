import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { AccessLogSink } from '../http/runtime.ts';
import type { KeyLogProgram } from '../program/types.ts';

/** Has the secrets of a connection's handshake written down, if they are to be; before the handshake begins. */
export type KeyLogger = (secure: TLSSocket, raw: Socket) => void;

export function keyLogger(program: KeyLogProgram, sink: AccessLogSink): KeyLogger {
  const { local, remote } = program;
  return (secure, raw) => {
    const { localAddress = '', remoteAddress = '' } = raw;
    if (local.length > 0 && !local.some((range) => range.contains(localAddress))) return;
    if (remote.length > 0 && !remote.some((range) => range.contains(remoteAddress))) return;
    secure.on('keylog', (line: Buffer) => sink.write(line.toString('latin1')));
  };
}
