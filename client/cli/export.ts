import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Command, Option } from 'commander';
import { uuidText } from '../../wire/record.ts';
import { isPartial, lookupCities } from '../cities.ts';
import { withCorrections } from '../corrections.ts';
import { fromHex, toHex } from '../encoding.ts';
import {
  EXPORT_FORMAT,
  ExportFolder,
  type ExportManifest,
  type ExportSource,
  fileDigest,
  verifyExport,
} from '../export.ts';
import type { Opened } from '../open.ts';
import { csvHeader, csvLines, ndjsonLine } from '../output.ts';
import { openWorkspace, type RegulatorDesk, type Workspace } from '../workspace.ts';
import { action, DEFAULT_DIR, dirOption, newCommand } from './command.ts';
import { bilingual, CliFailure, EXIT, usageFailure } from './failure.ts';
import { readIds } from './ids.ts';
import { cityJson, failTogether, shortcomings } from './lookup.ts';
import { addQueryOptions, citiesOf, type QueryOptions, queryOf } from './query.ts';
import { count } from './ui.ts';

interface Options extends QueryOptions {
  case?: string;
  purpose?: string;
  out?: string;
  format: 'ndjson' | 'csv';
  fromPull?: string;
  ids?: string;
}

/** Records written at a time. */
const BATCH = 256;

export function exportCommand(): Command {
  const command = newCommand(
    'export',
    ['为办案导出记录，附签名清单', 'write records out for a case, with a signed manifest'],
    [
      'sealpost export --case 2026-0117 --purpose "协查" --phone - --out case-0117 --dir city',
      'sealpost export --case 2026-0117 --purpose "协查" --from-pull day.ndjson --ids ids.txt --out case-0117',
      'sealpost export verify case-0117 --dir city',
    ],
  )
    // Else --json and --dir of `verify` would be taken for those of `export`.
    .enablePositionalOptions()
    .option('--case <number>', bilingual(['案号（必填）', 'number of the case (needed)']))
    .option('--purpose <text>', bilingual(['用途（必填）', 'what for (needed)']))
    .option('--out <folder>', bilingual(['输出目录（必填）', 'folder to write (needed)']))
    .addOption(
      new Option('--format <format>', bilingual(['格式', 'format']))
        .choices(['ndjson', 'csv'])
        .default('ndjson'),
    )
    .option(
      '--from-pull <file>',
      bilingual([
        '从 sealpost pull 所写的 NDJSON 文件导出，不再查询',
        'from an NDJSON file that sealpost pull wrote, instead of a lookup',
      ]),
    )
    .option(
      '--ids <file>',
      bilingual(['只导出这些编号的记录，每行一个', 'only the records of these ids, one a line']),
    );
  addQueryOptions(command).action(
    action<[Options]>(async (ui, options) => {
      const wanted = checked(options);
      const { manifest, short } = await (options.fromPull === undefined
        ? exportLookup(wanted)
        : exportPulled(wanted, options.fromPull));
      const { out, records, complete, askedBy } = { out: wanted.out, ...manifest };
      ui.result({ out, records, complete, key: askedBy.key, sources: manifest.sources }, [
        bilingual([`已导出 ${count(records)} 条 → ${out}`, `${count(records)} records`]),
        bilingual([`签名密钥 ${askedBy.key}`, 'key id of the signature']),
        ...short,
        ...(complete ? [] : [bilingual(['导出不完整', 'the export is not complete'])]),
      ]);
      return complete ? EXIT.OK : EXIT.INCOMPLETE;
    }),
  );
  return command.addCommand(verifyCommand());
}

interface Wanted extends Options {
  case: string;
  purpose: string;
  out: string;
  /** Only these record ids. */
  only?: Set<string>;
}

interface Exported {
  manifest: ExportManifest;
  /** What is missing, for people. */
  short: string[];
}

/** @throws CliFailure unless case, purpose and folder are given */
function checked(options: Options): Wanted {
  const given = (text: string | undefined) => text !== undefined && text.trim() !== '';
  if (!given(options.case) || !given(options.purpose) || !given(options.out)) {
    throw usageFailure(
      ['须写明案号、用途与输出目录', 'case, purpose and folder are needed'],
      ['请使用 --case、--purpose、--out', 'use --case, --purpose and --out'],
    );
  }
  const only = options.ids === undefined ? {} : { only: new Set(readIds({ ids: options.ids })) };
  return { ...(options as Wanted), ...only };
}

async function exportLookup(wanted: Wanted): Promise<Exported> {
  const { kind, query } = await queryOf(wanted);
  const asking = citiesOf(wanted);
  const desk = asking.workspace.regulator();
  const folder = new ExportFolder(wanted.out);
  try {
    const report = await lookupCities(asking.targets, query);
    failTogether(report);
    const matches = withCorrections(report.matches, asking.corrections, wanted.current);
    const records = matches.filter(({ id }) => wanted.only?.has(id) ?? true);
    const names = asking.enterpriseNames;
    const sink = recordSink(folder, wanted.format, (id) => names.get(id));
    for (const record of records) sink.add(record);
    sink.end();
    const sources = report.cities.map((result): ExportSource => {
      const { city, name, matches, listVersion, ends, error } = cityJson(result);
      const { refused, truncated, uncovered } = result;
      const source = { city, name, records: matches, listVersion, ends };
      return { ...source, refused, truncated, uncovered, ...(error && { error }) };
    });
    const manifest = manifestOf(wanted, desk, {
      query: { kind, from: wanted.from, to: wanted.to },
      ...{ sources, records: records.length, files: [...folder.files] },
      complete: !report.cities.some(isPartial),
    });
    await folder.finish(manifest, desk.identity.signer, desk.publicKey);
    asking.keep();
    return { manifest, short: shortcomings(report) };
  } catch (error) {
    folder.discard();
    throw error;
  }
}

async function exportPulled(wanted: Wanted, path: string): Promise<Exported> {
  const workspace = openWorkspace(wanted.dir?.[0] ?? DEFAULT_DIR);
  const desk = workspace.regulator();
  const digest = await fileDigest(path);
  const proof = workspace.pullProof(digest);
  if (proof === undefined) {
    throw new CliFailure(
      'not_pulled',
      [
        '该文件不是本目录 pull 所写，或已被改动',
        'this folder has not pulled that file, or it was changed since',
      ],
      ['请重新运行 sealpost pull', 'run sealpost pull again'],
    );
  }
  if (proof.format !== 'ndjson') {
    throw usageFailure(
      ['只能从 NDJSON 文件导出', 'only a pulled file in NDJSON can be exported from'],
      [
        '请用 --format ndjson 重新 pull；导出时可用 --format csv',
        'pull it as NDJSON; the export itself may be --format csv',
      ],
    );
  }
  const folder = new ExportFolder(wanted.out);
  try {
    const names = workspace.enterpriseNames();
    const sink = recordSink(folder, wanted.format, (id) => names.get(id));
    let read = 0;
    for await (const line of createInterface({ input: createReadStream(path) })) {
      if (line === '') continue;
      read++;
      const opened = { flags: [], ...JSON.parse(line) } as Opened;
      if (wanted.only?.has(opened.id) ?? true) sink.add(opened);
    }
    sink.end();
    const { city, listVersion, ends, refused, pulledAt } = proof;
    const manifest = manifestOf(wanted, desk, {
      query: { kind: 'pull' },
      sources: [{ city, records: read, listVersion, ends, refused, pulledFile: digest, pulledAt }],
      records: sink.records(),
      complete: refused.length === 0 && read === proof.records,
      files: [...folder.files],
    });
    await folder.finish(manifest, desk.identity.signer, desk.publicKey);
    return { manifest, short: [] };
  } catch (error) {
    folder.discard();
    throw error;
  }
}

function recordSink(
  folder: ExportFolder,
  format: Options['format'],
  enterpriseName: (id: string) => string | undefined,
) {
  const file = folder.create(`records.${format}`);
  if (format === 'csv') file.write(csvHeader({ bom: true }), 0);
  let batch: Opened[] = [];
  let records = 0;
  const flush = () => {
    const text =
      format === 'csv'
        ? csvLines(batch, { enterpriseName })
        : batch.map((opened) => ndjsonLine(opened, { enterpriseName })).join('');
    if (batch.length > 0) file.write(text, batch.length);
    batch = [];
  };
  return {
    add(opened: Opened) {
      records++;
      batch.push(opened);
      if (batch.length >= BATCH) flush();
    },
    end() {
      flush();
      file.close();
    },
    records: () => records,
  };
}

type ManifestParts = Pick<ExportManifest, 'query' | 'sources' | 'records' | 'complete' | 'files'>;

function manifestOf(wanted: Wanted, desk: RegulatorDesk, parts: ManifestParts): ExportManifest {
  const { identity } = desk;
  return {
    format: EXPORT_FORMAT,
    ...{ tool: `sealpost ${version()}`, madeAt: new Date().toISOString() },
    ...{ case: wanted.case, purpose: wanted.purpose },
    askedBy: { party: uuidText(identity.id), key: toHex(identity.signer.keyid) },
    ...parts,
  };
}

function verifyCommand(): Command {
  return newCommand(
    'verify',
    ['核对导出目录与签名', 'check that an export is as it was signed'],
    ['sealpost export verify case-0117 --dir city', 'sealpost export verify case-0117 --key 3fa9…'],
  )
    .argument('<folder>', bilingual(['导出目录', 'the exported folder']))
    .addOption(dirOption())
    .option(
      '--key <id>',
      bilingual([
        '签名密钥的编号（64 位十六进制），来自可信渠道',
        'key id of the desk (64 hexadecimal digits), from a trusted place',
      ]),
    )
    .action(
      action<[string, { dir: string; key?: string }]>(async (ui, folder, { dir, key }) => {
        const keyid = key === undefined ? deskKey(openWorkspace(dir)) : keyOf(key);
        const { manifest, problems } = await verifyExport(folder, keyid);
        const valid = problems.length === 0;
        ui.result({ valid, problems, ...(manifest && { manifest }) }, [
          valid
            ? bilingual(['导出未被改动，签名有效', 'the export is as it was signed'])
            : bilingual(['导出不可信', 'the export is not to be trusted']),
          ...problems.map(({ code, file }) => `  ${code} ${file ?? ''}`),
          ...(manifest
            ? [
                bilingual([`案号 ${manifest.case}`, 'case']),
                bilingual([`${count(manifest.records)} 条`, 'records']),
              ]
            : []),
        ]);
        return valid ? EXIT.OK : EXIT.FAILURE;
      }),
    );
}

function deskKey(workspace: Workspace): Uint8Array {
  return workspace.regulator().identity.signer.keyid;
}

function keyOf(text: string): Uint8Array {
  if (/^[0-9a-f]{64}$/i.test(text)) return fromHex(text);
  throw usageFailure(
    ['密钥编号应为 64 位十六进制', 'a key id has 64 hexadecimal digits'],
    ['请检查 --key', 'check --key'],
  );
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
