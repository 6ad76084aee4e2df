/** What lookups and exports share: the options that say what is looked for, when, and in which cities. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { DOC_TYPES, type DocType } from '../../wire/record.ts';
import type { CityTarget } from '../cities.ts';
import { Corrections } from '../corrections.ts';
import { EdgeClient } from '../edge.ts';
import { fromHex } from '../encoding.ts';
import type { LookupQuery } from '../lookup.ts';
import { loadWasm } from '../wasm-file.ts';
import { keepLists, openWorkspace, readLists, type Workspace } from '../workspace.ts';
import { calendarDay, currentOption, DEFAULT_DIR, urlOption } from './command.ts';
import { connect } from './connect.ts';
import { bilingual, CliFailure, usageFailure } from './failure.ts';

export interface QueryOptions {
  dir?: string[];
  cities?: string;
  url?: string;
  document?: string;
  type?: DocType;
  nationality?: string;
  phone?: string;
  waybill?: string;
  carrier?: string;
  from: string;
  to: string;
  current?: boolean;
}

/** What kind of thing is looked for: all that is ever written down of a query. */
export type QueryKind = 'document' | 'phone' | 'waybill';

const DAY_MS = 86_400_000;
/** Days looked back unless asked otherwise. */
const DEFAULT_DAYS = 90;

export function addQueryOptions(command: Command): Command {
  return command
    .addOption(dirsOption())
    .option(
      '--cities <file>',
      bilingual([
        '城市清单（JSON）：[{ dir 或 url, city, rootKey, authority, name }]',
        'cities to ask, as JSON: [{ dir or url, city, rootKey, authority, name }]',
      ]),
    )
    .addOption(urlOption())
    .option(
      '--document <number>',
      bilingual(['证件号码；- 为从标准输入读取', 'document number; - reads it from stdin']),
    )
    .addOption(
      new Option(
        '--type <type>',
        bilingual(['证件类型（默认：所有可能的类型）', 'its type (default: all that fit)']),
      ).choices(Object.keys(DOC_TYPES)),
    )
    .option(
      '--nationality <code>',
      bilingual(['外国护照的国籍，三位字母', "a foreign passport's, three letters"]),
    )
    .option(
      '--phone <number>',
      bilingual(['电话；- 为从标准输入读取', 'phone; - reads it from stdin']),
    )
    .option(
      '--waybill <number>',
      bilingual(['运单号；- 为从标准输入读取', 'waybill; - reads it from stdin']),
    )
    .option(
      '--carrier <code>',
      bilingual(['承运企业代码（默认：所有）', 'its carrier (default: all known ones)']),
    )
    .option(
      '--from <date>',
      bilingual([
        '入库起始日（UTC，默认 90 天前）',
        'first day in the store (UTC; default: 90 days ago)',
      ]),
      calendarDay,
      daysAgo(DEFAULT_DAYS),
    )
    .option(
      '--to <date>',
      bilingual(['入库截止日（UTC，默认今天）', 'last day in the store (UTC; default: today)']),
      calendarDay,
      daysAgo(0),
    )
    .addOption(currentOption());
}

/** @throws CliFailure unless exactly one thing is asked for, in days that go forward */
export async function queryOf(
  options: QueryOptions,
): Promise<{ kind: QueryKind; query: LookupQuery }> {
  const { document, phone, waybill } = options;
  if ([document, phone, waybill].filter((value) => value !== undefined).length !== 1) {
    throw usageFailure(
      ['须给出一项查询条件', 'exactly one thing to look for is needed'],
      ['请使用 --document、--phone、--waybill 之一', 'use one of --document, --phone, --waybill'],
    );
  }
  const days = { from: new Date(options.from), to: new Date(options.to) };
  if (days.from > days.to) {
    throw usageFailure(
      ['起始日晚于截止日', 'the first day is after the last'],
      ['请检查 --from 与 --to', 'check --from and --to'],
    );
  }
  if (phone !== undefined) {
    return { kind: 'phone', query: { ...days, phone: await argumentOrStdin(phone) } };
  }
  if (waybill !== undefined) {
    const { carrier } = options;
    const value = await argumentOrStdin(waybill);
    return { kind: 'waybill', query: { ...days, waybill: value, ...(carrier && { carrier }) } };
  }
  const { type, nationality } = options;
  const query = {
    ...days,
    document: await argumentOrStdin(document as string),
    ...(type && { docType: type }),
    ...(nationality && { nationality: nationality.toUpperCase() }),
  };
  return { kind: 'document', query };
}

/** The cities to ask, and who asks. */
export interface Asking {
  targets: CityTarget[];
  /** The first folder: whose desk it is. */
  workspace: Workspace;
  /** Names of enterprises by id, of all folders. */
  enterpriseNames: Map<string, string>;
  /** By the pulls so far, of all folders. */
  corrections: Corrections;
  /** Remembers the recipient lists that came. */
  keep(): void;
}

/** @throws CliFailure, WorkspaceError, TrustError */
export function citiesOf(options: QueryOptions): Asking {
  const dirs = options.dir ?? [DEFAULT_DIR];
  const entries: CityEntry[] = options.cities
    ? readCities(options.cities)
    : dirs.map((dir) => ({ dir, ...(options.url && { url: options.url }) }));
  if (options.url && (options.cities || dirs.length > 1)) {
    throw usageFailure(
      ['多个城市不能共用一个 --url', 'several cities cannot share one --url'],
      ['请在 --cities 文件中逐个写明地址', 'write the address of each into the --cities file'],
    );
  }
  const first = entries[0]?.dir;
  const own = options.dir === undefined && first !== undefined ? first : dirs[0];
  const workspace = openWorkspace(own as string);
  const module = loadWasm();
  const places = entries.map((entry) => placeOf(entry, workspace));
  const targets = places.map(({ name, edge, holder }): CityTarget => {
    const desk = holder.regulator();
    const opener = holder.opener(desk.recipientKeys, edge.lists);
    const { identity, indexKeys } = desk;
    const sinceMs = Date.parse(holder.createdAt);
    return { name, edge, sinceMs, desk: { identity, indexKeys, opener, module } };
  });
  return {
    ...{ targets, workspace },
    enterpriseNames: new Map(places.flatMap(({ holder }) => [...holder.enterpriseNames()])),
    corrections: new Corrections(places.flatMap(({ holder }) => holder.corrections().all())),
    keep: () => {
      for (const { keep } of places) keep();
    },
  };
}

interface CityEntry {
  dir?: string;
  url?: string;
  city?: number;
  /** Hexadecimal. */
  rootKey?: string;
  authority?: string;
  name?: string;
}

interface Place {
  name: string;
  edge: EdgeClient;
  /** The folder with the keys. */
  holder: Workspace;
  keep(): void;
}

function placeOf(entry: CityEntry, own: Workspace): Place {
  if (entry.dir !== undefined) {
    const holder = entry.dir === own.dir ? own : openWorkspace(entry.dir);
    const edge = connect(holder, entry.url);
    const keep = () => holder.keepLists(edge.lists);
    return { name: entry.name ?? String(holder.city), edge, holder, keep };
  }
  const { url, city, authority } = entry as Required<CityEntry>;
  const rootKey = fromHex(entry.rootKey as string);
  // Of each root its own: cities may have different ones.
  const folder = own.paths.seenElsewhere(`${city}-${(entry.rootKey as string).slice(0, 16)}`);
  const edge = new EdgeClient({
    ...{ url, city, rootKey, lists: readLists(folder, rootKey), mode: own.mode },
    ...(authority && { authority }),
  });
  const keep = () => keepLists(folder, edge.lists);
  return { name: entry.name ?? String(city), edge, holder: own, keep };
}

function readCities(path: string): CityEntry[] {
  const text = readFileSync(path, 'utf8');
  const folder = dirname(path);
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    // Told below.
  }
  if (!Array.isArray(raw) || raw.length === 0 || !raw.every(isEntry)) {
    throw new CliFailure(
      'bad_cities',
      ['城市清单格式不正确', 'the file of cities does not have the form it must have'],
      [
        '每项须有 dir，或 url、city（六位区划代码）与 rootKey（64 位十六进制）',
        'each entry needs dir, or url, city (a division code) and rootKey (64 hexadecimal digits)',
      ],
    );
  }
  return (raw as CityEntry[]).map((entry) =>
    entry.dir === undefined ? entry : { ...entry, dir: resolve(folder, entry.dir) },
  );
}

function isEntry(value: unknown): value is CityEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { dir, url, city, rootKey, authority, name } = value as Record<string, unknown>;
  const optional = [url, authority, name].every((text) => text === undefined || isText(text));
  if (!optional || (url !== undefined && !isHttp(url))) return false;
  if (dir !== undefined) return isText(dir);
  const root = isText(rootKey) && /^[0-9a-f]{64}$/i.test(rootKey as string);
  const code = Number.isSafeInteger(city) && /^[1-9]\d{5}$/.test(String(city));
  return url !== undefined && root && code;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isHttp(value: unknown): boolean {
  if (!isText(value) || !URL.canParse(value as string)) return false;
  return ['http:', 'https:'].includes(new URL(value as string).protocol);
}

function dirsOption(): Option {
  const text = bilingual([
    '密钥与数据目录；可重复，每个城市一个',
    'folder with keys and data; again for each further city',
  ]);
  return new Option('--dir <dir>', text)
    .env('SEALPOST_DIR')
    .argParser((dir: string, before: string[] = []) => [...before, dir]);
}

/** Arguments of a running program are for all users of a machine to see, and stay in a shell's history: so `-`. */
async function argumentOrStdin(argument: string): Promise<string> {
  if (argument !== '-') return argument;
  let text = '';
  for await (const part of process.stdin.setEncoding('utf8')) text += part;
  return text.trim();
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
}
