/** Files of a workspace: JSON on disk. What holds a private key is readable by its owner alone. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export type WorkspaceErrorCode =
  | 'exists' // there is a workspace already
  | 'missing' // a file of the workspace is not there
  | 'malformed' // a file of the workspace does not have the form it must have
  | 'unknown_enterprise';

/** A workspace can't be made or read. Names the file, never what is in it. */
export class WorkspaceError extends Error {
  readonly code: WorkspaceErrorCode;
  readonly path: string;

  constructor(code: WorkspaceErrorCode, path: string) {
    super(`workspace: ${code}: ${path}`);
    this.name = 'WorkspaceError';
    this.code = code;
    this.path = path;
  }
}

/** Writes a new file; folders are made as needed. @throws WorkspaceError `exists`: a key is never overwritten */
export function writeNew(path: string, content: Uint8Array | object, secret: boolean): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, serialized(content), { flag: 'wx', mode: secret ? 0o600 : 0o644 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new WorkspaceError('exists', path);
    }
    throw error;
  }
}

/** Replaces a file as a whole: after a crash there is the old one or the new one. */
export function replaceFile(path: string, content: Uint8Array | object, secret: boolean): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const part = `${path}.part`;
  writeFileSync(part, serialized(content), { mode: secret ? 0o600 : 0o644, flush: true });
  renameSync(part, path);
}

/** @throws WorkspaceError `missing` */
export function readBytes(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new WorkspaceError('missing', path);
    }
    throw error;
  }
}

/** Reads JSON and takes it apart. @throws WorkspaceError `missing`, `malformed` */
export function readJson<Raw, T>(path: string, read: (raw: Raw) => T): T {
  const bytes = readBytes(path);
  try {
    return read(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    throw new WorkspaceError('malformed', path);
  }
}

function serialized(content: Uint8Array | object): Uint8Array | string {
  return content instanceof Uint8Array ? content : `${JSON.stringify(content, null, 2)}\n`;
}
