/**
 * What processes use: processor time and memory, from /proc.
 *
 * Absent here: other systems than Linux, for which every figure is 0.
 * Spec: proc(5): fields 14 and 15 of stat; VmHWM and VmRSS of status.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';

/** Ticks a second in /proc: USER_HZ, which Linux fixes for programs. */
const TICKS_PER_SECOND = 100;

function statFields(pid: number): readonly string[] {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return [];
  // The name, in brackets, may hold blanks; what follows it starts with field 3.
  return readFileSync(file, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
}

/** Processor time that a process took so far, in seconds. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

/** A size in /proc/PID/status, in MiB. */
function statusMiB(pid: number, name: 'VmHWM' | 'VmRSS'): number {
  const file = `/proc/${pid}/status`;
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1_024);
}

/** The most memory a process ever had resident, in MiB. */
export function peakRssMiB(pid: number): number {
  return statusMiB(pid, 'VmHWM');
}

/** The memory a process has resident, in MiB. */
export function rssMiB(pid: number): number {
  return statusMiB(pid, 'VmRSS');
}
