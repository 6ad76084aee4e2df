/** What ends, and when it is time to say so. */
import { parseCertificate, type RecipientList } from '../wire/recipients.ts';
import { fromBase64url } from './encoding.ts';
import { readJson } from './keyfile.ts';
import type { Workspace } from './workspace-open.ts';
import { workspaceLists } from './workspace-renew.ts';

export type EndingThing = 'recipient_list' | 'certificates' | 'submission_key' | 'index_keys';

export interface End {
  what: EndingThing;
  /** ms since 1970. */
  endMs: number;
}

export interface Ending {
  what: EndingThing;
  /** ISO 8601. */
  endsAt: string;
  /** Begun ones count; 0 when it has ended. */
  daysLeft: number;
}

/** Days before the end at which a warning is given, and again, and again. */
export const WARNING_DAYS = [14, 7, 1] as const;

const DAY_MS = 86_400_000;

/** The warnings that it is time for, at `now` (ms since 1970). */
export function endings(ends: readonly End[], now: number): Ending[] {
  return ends
    .map(({ what, endMs }) => ({
      what,
      endsAt: new Date(endMs).toISOString(),
      daysLeft: Math.max(0, Math.ceil((endMs - now) / DAY_MS)),
    }))
    .filter(({ daysLeft }) => daysLeft <= WARNING_DAYS[0]);
}

/** How urgent: the least of WARNING_DAYS that is not passed yet. */
export function urgency({ daysLeft }: Ending): number {
  return Math.min(...WARNING_DAYS.filter((days) => daysLeft <= days));
}

/** What a regulator's tool knows to end. */
export function listEnd(list: RecipientList): End {
  return { what: 'recipient_list', endMs: list.notAfter };
}

/** What a service that starts on this workspace now will run into. @throws WorkspaceError, TrustError */
export function workspaceEnds(workspace: Workspace): End[] {
  const { control, secrets } = workspace.paths;
  const list = workspaceLists(workspace).latest?.list;
  const certificates = readJson(control, (raw: { parties: { certificate?: string }[] }) =>
    raw.parties.flatMap(({ certificate }) =>
      certificate === undefined
        ? []
        : [parseCertificate(fromBase64url(certificate)).certificate.notAfter],
    ),
  );
  const keys = readJson(
    secrets,
    (raw: { edgeKeys: { notAfter: number }[]; indexKeys: { untilMs: number }[] }) => ({
      submission: Math.max(...raw.edgeKeys.map(({ notAfter }) => notAfter)),
      index: Math.max(...raw.indexKeys.map(({ untilMs }) => untilMs)),
    }),
  );
  return [
    ...(list ? [listEnd(list)] : []),
    ...(certificates.length > 0
      ? [{ what: 'certificates' as const, endMs: Math.min(...certificates) }]
      : []),
    { what: 'submission_key', endMs: keys.submission },
    { what: 'index_keys', endMs: keys.index },
  ];
}
