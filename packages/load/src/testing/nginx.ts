import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { requireTool } from '@mizzen/testkit';
import { linesOf } from './lines.ts';

export interface Nginx {
  /** Ends it once its access log has `least` lines: what was sent and given up may still be on its way. All its lines. */
  stop(least?: number): Promise<readonly string[]>;
}

/** Runs an nginx in the foreground; `server` is the content of its one server block. */
export async function startNginx(port: number, server: string): Promise<Nginx> {
  const dir = mkdtempSync(join(tmpdir(), 'mizzen-nginx-'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${dir};`);
  writeFileSync(
    join(dir, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${dir}/pid; error_log ${dir}/error.log; ${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http { ${temporary.join(' ')} client_max_body_size 0; keepalive_requests 100000;
log_format line '$request_method $uri $status $server_protocol'; access_log ${dir}/access.log line;
server { ${server} } }`,
  );
  const child = spawn(requireTool('/usr/sbin/nginx', 'nginx-light'), ['-c', join(dir, 'nginx.conf'), '-p', dir], {
    stdio: 'ignore',
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await listening(port);
  return {
    async stop(least = 0) {
      await linesOf(join(dir, 'access.log'), least);
      child.kill('SIGQUIT');
      await exited;
      const lines = await linesOf(join(dir, 'access.log'), 0);
      rmSync(dir, { recursive: true });
      return lines;
    },
  };
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await pause(25);
  }
  throw new Error(`nothing listens on port ${port}`);
}
