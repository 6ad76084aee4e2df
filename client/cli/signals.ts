/** Signals that ask this program to end. Ending by `process.exit` lets exit hooks run: they stop the service, remove files. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Signal = (typeof SIGNALS)[number];

let handle: (signal: Signal) => void = exit;

/** From now on a signal ends this program by way of its exit hooks. To be called once. */
export function exitOnSignals(): void {
  for (const signal of SIGNALS) process.on(signal, () => handle(signal));
}

export interface SignalWatch {
  /** Settles with true at the first signal. A launcher may pass the same one on twice. */
  received: Promise<true>;
  /** Signals end the program again. */
  forget(): void;
}

/** Signals are told, and end nothing by themselves. */
export function untilSignal(): SignalWatch {
  const received = new Promise<true>((resolve) => {
    handle = () => resolve(true);
  });
  return {
    received,
    forget() {
      handle = exit;
    },
  };
}

/** The exit code that shells know: 128 and the number of the signal. */
function exit(signal: Signal): never {
  process.exit(128 + constants.signals[signal]);
}
