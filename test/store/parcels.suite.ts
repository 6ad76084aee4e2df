/** What every ParcelStore must do: all suites together. */
import type { ParcelStore } from '../../db/parcels.ts';
import { appendSuite } from './append.suite.ts';
import { lookupSuite } from './lookup.suite.ts';
import { readingSuite } from './reading.suite.ts';

/** @param make a store; all that it makes may share their data */
export function parcelStoreSuite(make: () => ParcelStore): void {
  appendSuite(make);
  readingSuite(make);
  lookupSuite(make);
}
