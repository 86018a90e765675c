/** What scenarios are made of. */
import { connect } from 'node:net';
import { TYPE } from '../../filter/testing/beside.ts';
import { hcm } from '../../process/testing/bootstraps.ts';

export const get = (path = '/', ...fields: string[]): string =>
  `GET ${path} HTTP/1.1\r\nhost: a.test\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;

/** Without fields whose length depends on how long something took. */
const ROUTER = {
  name: 'envoy.filters.http.router',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router`, suppressEnvoyHeaders: true },
};
export const http = (routes: readonly object[], more: object = {}, filters: readonly object[] = []): object =>
  hcm(routes, { httpFilters: [...filters, ROUTER], ...more });

/** Several requests on one connection, until an answer says that it closes: whoever is asked to close does so first. */
export function onOne(...requests: readonly string[]): (port: number) => Promise<void> {
  return async (port) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    const closed = new Promise<string>((done) => socket.once('close', () => done('')));
    for (const request of requests) {
      const answered = new Promise<string>((done) => socket.once('data', (data) => done(data.toString())));
      socket.write(request);
      const answer = await Promise.race([answered, closed]);
      if (answer === '' || /\r\nconnection: close\r\n/i.test(answer)) break;
    }
    socket.end();
    await closed;
  };
}
