/** What the figures were measured on. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import { workerdPath } from '../../client/service/workerd.ts';

export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  system: string;
  node: string;
  v8: string;
  workerd: string;
  /** Of the C program; absent when it could not be built. */
  openssl?: string;
  date: string;
}

/** @param openssl version that the C program was built with */
export function machine(openssl?: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    workerd: execFileSync(workerdPath(), ['--version'], { encoding: 'utf8' }).trim(),
    ...(openssl !== undefined && { openssl }),
    date: new Date().toISOString().slice(0, 10),
  };
}

/** One line for people. */
export function machineLine({ cpu, cores, system, node, workerd, openssl }: Machine): string {
  return [
    `${cpu}, ${cores} cores, ${system}`,
    `Node ${node}, ${workerd}${openssl === undefined ? '' : `, ${openssl}`}`,
  ].join('; ');
}
