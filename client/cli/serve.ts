import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { endings, workspaceEnds } from '../expiry.ts';
import { startService } from '../service/start.ts';
import { openWorkspace, workspacePaths } from '../workspace.ts';
import {
  action,
  DEFAULT_DIR,
  DEFAULT_PORT,
  dirOption,
  newCommand,
  wholeNumber,
} from './command.ts';
import { bilingual, CliFailure } from './failure.ts';
import { makeWorkspace } from './init.ts';
import { untilSignal } from './signals.ts';
import { watchEnds } from './warnings.ts';

interface Options {
  dir: string;
  port: number;
}

export function serveCommand(): Command {
  return newCommand(
    'serve',
    ['在本机运行服务', 'run the service on this machine'],
    ['sealpost serve --dir city', 'sealpost serve --dir city --port 9000'],
  )
    .addOption(dirOption())
    .option(
      '--port <port>',
      bilingual(['端口，0 为任意空闲端口', 'port; 0 for any free one']),
      wholeNumber(0, 65_535),
      DEFAULT_PORT,
    )
    .action(
      action<[Options]>(async (ui, { dir, port }) => {
        // Only where nobody named a folder: a mistyped name must not make a new city.
        if (dir === DEFAULT_DIR && !existsSync(workspacePaths(dir).description)) {
          ui.note(['正在生成密钥', 'making keys']);
          await makeWorkspace(dir, 'guiyang');
        }
        // As the service loads them: a renewal counts from its next start on.
        const ends = workspaceEnds(openWorkspace(dir));
        const service = await startService({ dir, port });
        const warnings = endings(ends, Date.now());
        ui.result({ ready: service.url, pid: service.pid, warnings }, [`ready ${service.url}`]);
        const stopWatching = watchEnds(ui, ends);
        const signal = untilSignal();
        const asked = await Promise.race([signal.received, service.exited]);
        stopWatching();
        await service.stop();
        signal.forget();
        if (!asked) {
          throw new CliFailure(
            'service_ended',
            ['服务意外停止', 'the service ended by itself'],
            ['请查看服务日志 run/workerd.log', 'see the log of the service, run/workerd.log'],
          );
        }
        ui.note(['服务已停止', 'the service has stopped']);
      }),
    );
}
