/**
 * Exports: records that leave the desk for a case, with a signed manifest of what they are, who asked for them and why. The
 * folder gets its name when it is whole; only its owner can read it.
 */
import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { AnswerEnd } from './frames.ts';
import { readBytes, WorkspaceError } from './keyfile.ts';
import { signManifest, verifyManifest } from './manifest.ts';
import type { Signer } from './signing.ts';

export const EXPORT_FORMAT = 'sealpost export 1';
const MANIFEST = 'manifest.json';
const SIGNATURE = 'manifest.sig';

export interface ExportedFile {
  name: string;
  records: number;
  bytes: number;
  /** SHA-256, hexadecimal. */
  sha256: string;
}

/** Where records come from: one edge, or one pulled file. */
export interface ExportSource {
  /** Division code. */
  city: number;
  name?: string;
  records: number;
  /** Of the recipient list in force; 0 when it did not come. */
  listVersion: number;
  /** What the edge signed for its answers. */
  ends: AnswerEnd[];
  /** Codes of what did not open. */
  refused: string[];
  /** The edge had more than one answer holds. */
  truncated?: boolean;
  /** Times of record ids that no index key covers. */
  uncovered?: { from: string; until: string }[];
  /** Code of why there is no answer. */
  error?: string;
  /** Of a pulled file: its SHA-256, and when it was pulled. */
  pulledFile?: string;
  pulledAt?: string;
}

/** Names no person: of a query only its kind. */
export interface ExportManifest {
  format: typeof EXPORT_FORMAT;
  /** Name and version of the program. */
  tool: string;
  /** ISO 8601. */
  madeAt: string;
  case: string;
  purpose: string;
  /** The party (UUID text) and the key id (hexadecimal) that signs. */
  askedBy: { party: string; key: string };
  /** Days of commit (UTC), both included; for a pulled file whatever it holds. */
  query: { kind: 'document' | 'phone' | 'waybill' | 'pull'; from?: string; to?: string };
  sources: ExportSource[];
  records: number;
  /** Nothing that was asked for is missing. */
  complete: boolean;
  files: ExportedFile[];
}

/** A folder in the making. */
export class ExportFolder {
  readonly #out: string;
  readonly #part: string;
  readonly #files: ExportedFile[] = [];
  readonly #tidy = () => rmSync(this.#part, { recursive: true, force: true });

  /** @throws WorkspaceError `exists` */
  constructor(out: string) {
    if (existsSync(out)) throw new WorkspaceError('exists', out);
    this.#out = out;
    this.#part = `${out.replace(/\/+$/, '')}.${process.pid}.part`;
    mkdirSync(this.#part, { mode: 0o700 });
    // A program that ends early leaves nothing readable.
    process.once('exit', this.#tidy);
  }

  get files(): readonly ExportedFile[] {
    return this.#files;
  }

  /** A new file of records. */
  create(name: string): ExportFile {
    return new ExportFile(join(this.#part, name), (file) => this.#files.push({ name, ...file }));
  }

  /** Signs, and gives the folder its name. @param publicKey of the signer, 32 octets */
  async finish(manifest: ExportManifest, signer: Signer, publicKey: Uint8Array): Promise<void> {
    const bytes = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
    write(join(this.#part, MANIFEST), bytes);
    write(join(this.#part, SIGNATURE), await signManifest(bytes, signer, publicKey));
    renameSync(this.#part, this.#out);
    process.off('exit', this.#tidy);
  }

  discard(): void {
    this.#tidy();
    process.off('exit', this.#tidy);
  }
}

export class ExportFile {
  readonly #descriptor: number;
  readonly #hash: Hash = createHash('sha256');
  readonly #done: (file: Omit<ExportedFile, 'name'>) => void;
  #records = 0;
  #bytes = 0;

  constructor(path: string, done: (file: Omit<ExportedFile, 'name'>) => void) {
    this.#descriptor = openSync(path, 'wx', 0o600);
    this.#done = done;
  }

  /** @param records how many stand in the text */
  write(text: string, records: number): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    this.#records += records;
  }

  close(): void {
    fsyncSync(this.#descriptor);
    closeSync(this.#descriptor);
    const [records, bytes] = [this.#records, this.#bytes];
    this.#done({ records, bytes, sha256: this.#hash.digest('hex') });
  }
}

export type ExportProblem =
  | 'no_manifest'
  | 'signature' // not by the key that is trusted, or the manifest was changed
  | 'manifest' // signed, but not of this form
  | 'file_missing'
  | 'file_changed'
  | 'file_unlisted'; // lies in the folder, and the manifest does not know it

export interface ExportVerdict {
  /** As signed; absent when it is not to be trusted. */
  manifest?: ExportManifest;
  /** With the file's name where it is about one. */
  problems: { code: ExportProblem; file?: string }[];
}

/**
 * Checks that an export is as it was signed.
 * @param keyid SHA-256 of the desk's signing key, from a trusted place: never out of the folder
 */
export async function verifyExport(dir: string, keyid: Uint8Array): Promise<ExportVerdict> {
  let bytes: Uint8Array;
  let signature: Uint8Array;
  try {
    [bytes, signature] = [readBytes(join(dir, MANIFEST)), readBytes(join(dir, SIGNATURE))];
  } catch (error) {
    if (!(error instanceof WorkspaceError)) throw error;
    return { problems: [{ code: 'no_manifest' }] };
  }
  if (!verifyManifest(bytes, signature, keyid)) return { problems: [{ code: 'signature' }] };
  const manifest = parse(bytes);
  if (manifest === undefined) return { problems: [{ code: 'manifest' }] };
  const problems: ExportVerdict['problems'] = [];
  for (const { name, bytes: size, sha256 } of manifest.files) {
    const path = join(dir, name);
    if (!existsSync(path)) problems.push({ code: 'file_missing', file: name });
    else if (statSync(path).size !== size || (await fileDigest(path)) !== sha256) {
      problems.push({ code: 'file_changed', file: name });
    }
  }
  const listed = new Set([MANIFEST, SIGNATURE, ...manifest.files.map(({ name }) => name)]);
  for (const file of readdirSync(dir)) {
    if (!listed.has(file)) problems.push({ code: 'file_unlisted', file });
  }
  return { manifest, problems };
}

/** SHA-256 of a file, hexadecimal. @throws the errors of node:fs */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Names of files come from whoever signed; they stay inside the folder all the same. */
function parse(bytes: Uint8Array): ExportManifest | undefined {
  try {
    const manifest = JSON.parse(new TextDecoder().decode(bytes)) as ExportManifest;
    const named = manifest.files.every(({ name }) => /^[a-z0-9][a-z0-9.-]{0,63}$/.test(name));
    return manifest.format === EXPORT_FORMAT && named ? manifest : undefined;
  } catch {
    return undefined;
  }
}

function write(path: string, bytes: Uint8Array): void {
  const descriptor = openSync(path, 'wx', 0o600);
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
  fsyncSync(descriptor);
  closeSync(descriptor);
}
