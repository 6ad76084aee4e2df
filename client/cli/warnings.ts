/** Tells what will end soon, before it does. */
import { type End, type Ending, type EndingThing, endings, urgency } from '../expiry.ts';
import type { Bilingual } from './failure.ts';
import type { Ui } from './ui.ts';

const HOUR_MS = 3_600_000;

const THINGS: Record<EndingThing, Bilingual> = {
  recipient_list: ['接收方名单', 'the recipient list'],
  certificates: ['企业证书', 'a certificate of an enterprise'],
  submission_key: ['上报密钥', 'the key that is submitted to'],
  index_keys: ['索引密钥', 'the last index key'],
};

/** Warns of what ends within 14 days. @returns the warnings, for machines */
export function warnOfEnds(ui: Ui, ends: readonly End[], now = Date.now()): Ending[] {
  const due = endings(ends, now);
  for (const ending of due) ui.warn(text(ending));
  return due;
}

/** Warns now, and while the program runs again at 7 days and at 1. @returns stops it */
export function watchEnds(ui: Ui, ends: readonly End[]): () => void {
  const told = new Map<EndingThing, number>();
  const look = () => {
    for (const ending of endings(ends, Date.now())) {
      const level = urgency(ending);
      if ((told.get(ending.what) ?? Number.POSITIVE_INFINITY) <= level) continue;
      told.set(ending.what, level);
      ui.warn(text(ending));
    }
  };
  look();
  const timer = setInterval(look, HOUR_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function text({ what, endsAt, daysLeft }: Ending): Bilingual {
  const [chinese, english] = THINGS[what];
  const day = endsAt.slice(0, 10);
  if (daysLeft === 0) {
    return [
      `${chinese}已于 ${day} 到期：请运行 sealpost keys renew，并重启服务`,
      `${english} ended on ${day}: run sealpost keys renew, and start the service again`,
    ];
  }
  return [
    `${chinese}将于 ${day} 到期（剩 ${daysLeft} 天）：请运行 sealpost keys renew，并重启服务`,
    `${english} ends on ${day}, in ${daysLeft} days: run sealpost keys renew, and start the service again`,
  ];
}
