import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { uuidBytes, uuidText } from '../../wire/record.ts';
import { toHex } from '../encoding.ts';
import { type ErasedItem, type Erasure, eraseRecords } from '../erase.ts';
import { writeNew } from '../keyfile.ts';
import { signManifest } from '../manifest.ts';
import { openWorkspace, type Workspace } from '../workspace.ts';
import { action, dirOption, newCommand, urlOption } from './command.ts';
import { connect } from './connect.ts';
import { bilingual, EXIT, usageFailure } from './failure.ts';
import { readIds } from './ids.ts';
import { count } from './ui.ts';

interface Options {
  dir: string;
  url?: string;
  ids?: string;
  id?: string[];
  enterprise: string;
  case: string;
}

export function eraseCommand(): Command {
  return newCommand(
    'erase',
    [
      '依法删除记录，保留签名回执（不可恢复）',
      'erase records by law, for good; a signed receipt remains',
    ],
    [
      'sealpost erase --dir city --enterprise sf --case 2026-0117 --id 019ab3c2-…',
      'sealpost erase --dir city --enterprise sf --case 2026-0117 --ids ids.txt',
    ],
  )
    .addOption(dirOption())
    .addOption(urlOption())
    .option(
      '--ids <file>',
      bilingual(['记录编号文件，每行一个；- 为标准输入', 'ids, one a line; - reads stdin']),
    )
    .addOption(
      new Option(
        '--id <id>',
        bilingual(['记录编号；可重复', 'id of a record; again for more']),
      ).argParser((id: string, before: string[] = []) => [...before, id]),
    )
    .requiredOption('--enterprise <slug>', bilingual(['记录所属企业', 'whose records they are']))
    .requiredOption('--case <number>', bilingual(['案号或请求编号', 'number of the case']))
    .action(
      action<[Options]>(async (ui, options) => {
        const ids = readIds(options);
        if (ids.length === 0 || options.case.trim() === '') {
          throw usageFailure(
            ['须给出记录编号与案号', 'ids of records and the number of a case are needed'],
            ['请使用 --id 或 --ids，以及 --case', 'use --id or --ids, and --case'],
          );
        }
        const workspace = openWorkspace(options.dir);
        const desk = workspace.erasure();
        const enterprise = enterpriseId(workspace, options.enterprise);
        const edge = connect(workspace, options.url);
        // Asked for before anything else, so that a receipt can be checked when it comes.
        await edge.recipients();
        workspace.keepLists(edge.lists);
        const kept: string[] = [];
        const pending: Promise<void>[] = [];
        const keep = (erasure: Erasure) => {
          const { folder, written } = keepReceipt(
            workspace,
            desk,
            options.case,
            enterprise,
            erasure,
          );
          kept.push(folder);
          pending.push(written);
        };
        const erasures = await eraseRecords(
          edge,
          desk.identity,
          enterprise,
          ids.map(uuidBytes),
          keep,
        ).finally(() => Promise.all(pending));
        const items = erasures.flatMap((erasure) => erasure.items);
        const report = {
          ...{ case: options.case, erased: tally(items, 'erased') },
          erasedBefore: tally(items, 'erased_before'),
          ...{ notFound: tally(items, 'not_found'), receipts: kept, items },
        };
        ui.result(report, summary(report));
        return report.notFound > 0 ? EXIT.FAILURE : EXIT.OK;
      }),
    );
}

function enterpriseId(workspace: Workspace, slug: string): Uint8Array {
  try {
    // Also one that is gone from the folder: its records may still have to go.
    return uuidBytes(slug);
  } catch {
    return workspace.enterprise(slug).identity.id;
  }
}

/** What is kept of an erasure: the edge's receipt as it came, and who asked for it in which case, signed. */
function keepReceipt(
  workspace: Workspace,
  { identity, publicKey }: ReturnType<Workspace['erasure']>,
  caseNumber: string,
  enterprise: Uint8Array,
  { receipt, at, items }: Erasure,
): { folder: string; written: Promise<void> } {
  const digest = createHash('sha256').update(receipt).digest('hex');
  const name = `${at.replace(/[-:]/g, '').slice(0, 15)}Z-${digest.slice(0, 8)}`;
  const folder = join(workspace.paths.erasureReceipts, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const manifest = {
    ...{ format: 'sealpost erasure 1', at, case: caseNumber },
    askedBy: { party: uuidText(identity.id), key: toHex(identity.signer.keyid) },
    ...{ city: workspace.city, enterprise: uuidText(enterprise), items },
    receipt: { file: 'receipt.bin', sha256: digest },
  };
  const bytes = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  writeNew(join(folder, 'receipt.bin'), receipt, true);
  writeNew(join(folder, 'manifest.json'), bytes, true);
  const written = signManifest(bytes, identity.signer, publicKey).then((signature) =>
    writeNew(join(folder, 'manifest.sig'), signature, true),
  );
  return { folder, written };
}

function tally(items: readonly ErasedItem[], state: ErasedItem['state']): number {
  return items.filter((item) => item.state === state).length;
}

function summary(report: {
  erased: number;
  erasedBefore: number;
  notFound: number;
  receipts: string[];
}): string[] {
  const { erased, erasedBefore, notFound, receipts } = report;
  return [
    bilingual([`已删除 ${count(erased)} 条`, `${count(erased)} erased`]),
    ...(erasedBefore > 0
      ? [
          bilingual([
            `此前已删除 ${count(erasedBefore)} 条`,
            `${count(erasedBefore)} erased before`,
          ]),
        ]
      : []),
    ...(notFound > 0
      ? [bilingual([`未找到 ${count(notFound)} 条`, `${count(notFound)} not found`])]
      : []),
    ...receipts.map((folder) => bilingual([`回执：${folder}`, 'receipt, signed by the edge'])),
    bilingual([
      '备份、已导出的文件与已下载的文件须另行销毁，见 docs/retention.md',
      'backups, exports and pulled files must be destroyed as well: docs/retention.md',
    ]),
  ];
}
