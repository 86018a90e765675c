/** hello: says which version and which replica answered. Listens on PORT, 8080 by default. */
import { createServer } from 'node:http';

const port = Number(process.env['PORT'] ?? 8080);
const host = process.env['HOST'] ?? '127.0.0.1';
const version = process.env['VERSION'] ?? 'v1';
const pod = process.env['POD_NAME'] ?? 'hello';

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const answer = (status: number, body: unknown): void => {
    response.statusCode = status;
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify(body)}\n`);
  };
  if (pathname === '/health') answer(200, { status: 'healthy', version });
  else if (pathname === '/' || pathname === '/hello') answer(200, { message: 'Hello!', version, pod });
  else answer(404, { error: 'not found' });
});

server.listen(port, host, () => process.stdout.write(`hello ${version} listening on ${host}:${port}\n`));
process.once('SIGTERM', () => server.close());
