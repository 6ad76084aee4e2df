/** Every error of the client and the service as what a person can act on. */
import { type Explanation, PROBLEM_TEXTS } from '../../wire/explain.ts';
import type { ProblemCode } from '../../wire/problem.ts';
import { CsvError } from '../csv-error.ts';
import {
  EdgeError,
  type EdgeErrorCode,
  IncompletePull,
  OpenError,
  StreamIncomplete,
  TrustError,
} from '../errors.ts';
import { LookupError } from '../lookup.ts';
import { ServiceError, type ServiceErrorCode } from '../service/errors.ts';
import { WorkspaceError } from '../workspace.ts';
import { type RenewalCode, RenewalError } from '../workspace-renew.ts';
import { csvFailure } from './csv-failure.ts';
import { type Bilingual, CliFailure, EXIT } from './failure.ts';

const AGAIN: Bilingual = ['请稍后重新运行同一命令', 'run the same command again a little later'];
const LOG: Bilingual = [
  '请查看服务日志 run/workerd.log',
  'see the log of the service, run/workerd.log',
];
const ASK_OPERATOR: Bilingual = ['请联系边缘节点的运维方', 'ask whoever runs the edge'];

/** What only a client can say; codes of the edge are explained in wire/explain.ts. */
const OWN: Record<Exclude<EdgeErrorCode, ProblemCode>, Explanation> = {
  unreachable: [
    ['服务没有应答', 'the service does not answer'],
    [
      '请先运行 sealpost serve，或用 --url 指明地址',
      'start it with sealpost serve, or give its address with --url',
    ],
  ],
  bad_answer: [
    ['应答格式不符，或无法解封', 'the answer is not of this protocol, or does not open'],
    ['请检查 --url 是否指向 sealpost 服务', 'check that --url points at a sealpost service'],
  ],
};

/** Where this program knows a nearer remedy than a caller of the API has. */
const REMEDIES: Partial<Record<ProblemCode, Bilingual>> = {
  signature_invalid: ['请使用该服务自己的 --dir', 'use the --dir that the service runs on'],
  clock_skew: ['请校准本机时钟', 'set the clock of this machine'],
  no_recipient: [
    '名单有效期 30 天：请运行 sealpost keys renew 并重启服务',
    'a list holds 30 days: run sealpost keys renew, and start the service again',
  ],
  unavailable: AGAIN,
  store_full: ['请扩容或启用新库', 'enlarge the store, or begin a new one'],
  internal: LOG,
};

const SERVICE: Record<ServiceErrorCode, readonly [Bilingual, Bilingual]> = {
  port_taken: [
    ['端口已被占用', 'the port is taken'],
    ['请用 --port 另选端口', 'choose another one with --port'],
  ],
  already_running: [
    ['该目录已有服务在运行', 'a service runs on this folder already'],
    ['请先停止它，或另选 --dir', 'stop it first, or choose another --dir'],
  ],
  build_failed: [
    ['程序构建失败', 'the program does not build'],
    [
      '请运行 npm install，或用 SEALPOST_DEBUG=1 查看原因',
      'run npm install, or see why with SEALPOST_DEBUG=1',
    ],
  ],
  setup_failed: [
    ['存储初始化失败', 'the store could not be set up'],
    ['请用 SEALPOST_DEBUG=1 查看原因', 'see why with SEALPOST_DEBUG=1'],
  ],
  start_failed: [['服务未能启动', 'the service did not start'], LOG],
};

const WORKSPACE: Record<WorkspaceError['code'], readonly [Bilingual, Bilingual]> = {
  exists: [
    ['该目录已有配置', 'the folder holds a configuration already'],
    ['请另选 --dir；密钥不会被覆盖', 'choose another --dir; keys are never overwritten'],
  ],
  missing: [
    ['该目录没有 sealpost 配置', 'the folder holds no sealpost configuration'],
    [
      '请检查 --dir，或先运行 sealpost init --dir …',
      'check --dir, or make one with sealpost init --dir …',
    ],
  ],
  malformed: [
    ['配置文件已损坏', 'a file of the configuration is damaged'],
    ['请用 SEALPOST_DEBUG=1 查看是哪个文件', 'see which one with SEALPOST_DEBUG=1'],
  ],
  unknown_enterprise: [
    ['该目录没有此企业的密钥', 'the folder holds no keys of this enterprise'],
    ['企业名单见 enterprises/ 目录', 'the enterprises are those in the folder enterprises/'],
  ],
};

const LOOKUP: Record<LookupError['code'], readonly [Bilingual, Bilingual]> = {
  invalid_value: [
    ['号码格式不正确', 'the number is not a valid one'],
    ['请核对号码及其类型', 'check the number and its type'],
  ],
  no_index_key: [
    ['没有覆盖这些日期的索引密钥', 'no index key covers these days'],
    ['请用 --from 与 --to 另选日期', 'choose other days with --from and --to'],
  ],
};

const RENEWAL: Record<RenewalCode, readonly [Bilingual, Bilingual]> = {
  too_few_readers: [
    [
      '接收密钥不得少于两把：没有备用钥匙，丢失即永久丢失记录',
      'at least two recipient keys are needed: without a second one, a loss is for ever',
    ],
    ['请先用 --add-recipient 加入一把', 'add one with --add-recipient'],
  ],
  unknown_reader: [
    ['名单中没有该编号的接收密钥', 'the list has no recipient key of that id'],
    ['编号见 sealpost keys drill', 'ids are shown by sealpost keys drill'],
  ],
  ambiguous_reader: [
    ['有多把密钥的编号以此开头', 'several key ids begin like that'],
    ['请多写几位', 'give more digits'],
  ],
  known_reader: [
    ['该密钥已在名单中', 'that key is in the list already'],
    ['请检查 --add-recipient 的文件', 'check the file of --add-recipient'],
  ],
  bad_reader_key: [
    ['该文件不是可用的接收公钥', 'the file holds no recipient key that can be sealed to'],
    ['请用 sealpost keys new 新建', 'make one with sealpost keys new'],
  ],
  other_root: [
    ['根密钥与本目录不符', 'the root key is not the one of this folder'],
    ['请检查 offline/root.json', 'check offline/root.json'],
  ],
};

/** Errors of node:fs and the like by their codes. */
const SYSTEM: Record<string, readonly [Bilingual, Bilingual]> = {
  ENOENT: [
    ['文件或目录不存在', 'there is no such file or folder'],
    ['请检查路径', 'check the path'],
  ],
  EACCES: [
    ['没有访问权限', 'access is denied'],
    ['请检查文件权限', 'check the permissions of the file'],
  ],
  EISDIR: [
    ['该路径是目录，不是文件', 'that path is a folder, not a file'],
    ['请给出文件路径', 'give the path of a file'],
  ],
  ENOTDIR: [
    ['路径中有一段不是目录', 'a part of the path is not a folder'],
    ['请检查路径', 'check the path'],
  ],
  EEXIST: [
    ['文件已存在', 'the file is there already'],
    ['请另选文件名', 'choose another name'],
  ],
  ENOSPC: [
    ['磁盘已满', 'the disk is full'],
    ['请清理磁盘空间', 'make room on the disk'],
  ],
};

/** What to tell about an error, whatever was thrown. */
export function explain(error: unknown): CliFailure {
  if (error instanceof CliFailure) return error;
  if (error instanceof StreamIncomplete) return incompleteStream(error);
  if (error instanceof EdgeError) return edgeFailure(error);
  if (error instanceof IncompletePull) {
    return new CliFailure(
      `incomplete_${error.code}`,
      [
        `下载不完整（${error.code}），未保存`,
        `the pull does not prove to be complete (${error.code}), nothing of it was kept`,
      ],
      error.code === 'broken' || error.code === 'no_end' ? AGAIN : ASK_OPERATOR,
      { exit: EXIT.INCOMPLETE, cause: error },
    );
  }
  if (error instanceof TrustError && error.code === 'other_mode') {
    return new CliFailure(
      error.code,
      ['一方是沙箱，另一方不是', 'one of the service and --dir is a sandbox, the other is not'],
      ['请使用属于该服务的 --dir', 'use the --dir that belongs to the service'],
      { cause: error },
    );
  }
  if (error instanceof TrustError) {
    return new CliFailure(
      error.code,
      [
        `服务的密钥或名单不可信（${error.code}）`,
        `the service's keys or recipient list are not to be trusted (${error.code})`,
      ],
      [
        '请核对 --dir 与 --url 是否属于同一服务',
        'check that --dir and --url belong to the same service',
      ],
      { cause: error },
    );
  }
  if (error instanceof OpenError) {
    return new CliFailure(
      error.code,
      [`密文无法解封（${error.code}）`, `what came does not open (${error.code})`],
      ASK_OPERATOR,
      { cause: error },
    );
  }
  if (error instanceof ServiceError && error.code === 'already_running') {
    const [what] = SERVICE.already_running;
    const remedy: Bilingual = [
      `请先停止它（${error.detail}），或另选 --dir`,
      `stop it first (${error.detail}), or choose another --dir`,
    ];
    return new CliFailure(error.code, what, remedy, { cause: error });
  }
  if (error instanceof ServiceError) {
    return new CliFailure(error.code, ...SERVICE[error.code], { cause: error });
  }
  if (error instanceof WorkspaceError) {
    return new CliFailure(`workspace_${error.code}`, ...WORKSPACE[error.code], { cause: error });
  }
  if (error instanceof RenewalError) {
    return new CliFailure(error.code, ...RENEWAL[error.code], { cause: error });
  }
  if (error instanceof LookupError) {
    return new CliFailure(error.code, ...LOOKUP[error.code], { exit: EXIT.USAGE, cause: error });
  }
  if (error instanceof CsvError) return csvFailure(error);
  const system = SYSTEM[(error as NodeJS.ErrnoException | undefined)?.code ?? ''];
  if (system) {
    const code = (error as NodeJS.ErrnoException).code as string;
    return new CliFailure(code.toLowerCase(), ...system, { cause: error });
  }
  return new CliFailure(
    'unexpected',
    ['程序出现意外错误', 'something unexpected went wrong'],
    [
      '请用 SEALPOST_DEBUG=1 重新运行并反馈',
      'run it again with SEALPOST_DEBUG=1 and report what it says',
    ],
    { cause: error },
  );
}

function edgeFailure(error: EdgeError): CliFailure {
  const { code } = error;
  const request = error.requestId ? ` [${error.requestId}]` : '';
  const [problem, remedy] = code in OWN ? OWN[code as keyof typeof OWN] : problemTexts(code);
  const named: Bilingual = [problem[0], problem[1] + request];
  return new CliFailure(code, named, remedy, { cause: error });
}

function problemTexts(code: EdgeErrorCode): Explanation {
  const [problem, remedy] = PROBLEM_TEXTS[code as ProblemCode];
  return [problem, REMEDIES[code as ProblemCode] ?? remedy];
}

function incompleteStream(error: StreamIncomplete): CliFailure {
  const { problem } = edgeFailure(error);
  return new CliFailure(
    'incomplete_stream',
    [`上传未完成：${problem[0]}`, `the stream is not finished: ${problem[1]}`],
    [
      '请重新运行同一命令：已入库的不会重复',
      'run the same command again: what is stored is not stored twice',
    ],
    { exit: EXIT.INCOMPLETE, cause: error },
  );
}
