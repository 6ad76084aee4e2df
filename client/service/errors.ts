/** Why the local service does not run. */

export type ServiceErrorCode =
  | 'port_taken'
  | 'already_running' // another service has the folder open
  | 'build_failed' // the worker or the WebAssembly module does not build
  | 'setup_failed' // migrations or control data were not taken
  | 'start_failed'; // workerd ended, or did not answer in time

export class ServiceError extends Error {
  readonly code: ServiceErrorCode;
  /** For people who debug: output of a tool, path of a log. No personal data is in it. */
  readonly detail: string;

  constructor(code: ServiceErrorCode, detail = '', cause?: unknown) {
    super(`service: ${code}`, { cause });
    this.name = 'ServiceError';
    this.code = code;
    this.detail = detail;
  }
}
