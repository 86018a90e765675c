import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolFolder } from './paths.ts';

const ARTIFACT = 'io.zipkin:zipkin-server:3.5.1:jar:exec';
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';

/** Zipkin's server from Maven Central, by Maven itself. */
export function installZipkin(): void {
  const folder = toolFolder('zipkin');
  if (existsSync(join(folder, 'zipkin-server-exec.jar'))) return;
  process.stdout.write('installing Zipkin into .tools\n');
  const copy = ['-Dmdep.stripVersion=true', `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${folder}`];
  execFileSync('mvn', ['--quiet', '--batch-mode', COPY, ...copy], { stdio: 'inherit', cwd: tmpdir() });
}
