import { readdirSync } from 'node:fs';
import type { Registry } from '@mizzen/control-plane';

/** This process, by the names that Prometheus' client libraries have for such things. */
export function addProcessMetrics(registry: Registry): void {
  registry.reading({ name: 'process_cpu_seconds_total', help: 'Seconds of processor time used.' }, () => {
    const { user, system } = process.cpuUsage();
    return [[[], (user + system) / 1e6]];
  });
  registry.gauge({ name: 'process_resident_memory_bytes', help: 'Bytes of memory in use.' }, () => [
    [[], process.memoryUsage.rss()],
  ]);
  registry.gauge({ name: 'nodejs_heap_size_used_bytes', help: 'Bytes of the heap in use.' }, () => [
    [[], process.memoryUsage().heapUsed],
  ]);
  registry.gauge({ name: 'nodejs_heap_size_total_bytes', help: 'Bytes of the heap.' }, () => [
    [[], process.memoryUsage().heapTotal],
  ]);
  registry.gauge({ name: 'nodejs_external_memory_bytes', help: 'Bytes of memory outside of the heap.' }, () => [
    [[], process.memoryUsage().external],
  ]);
  registry.gauge({ name: 'process_start_time_seconds', help: 'When it started, in seconds since the epoch.' }, () => [
    [[], performance.timeOrigin / 1000],
  ]);
  if (process.platform !== 'linux') return;
  registry.gauge({ name: 'process_open_fds', help: 'Open file descriptors.' }, () => [
    // The directory that is being read has one of its own.
    [[], readdirSync('/proc/self/fd').length - 1],
  ]);
}
