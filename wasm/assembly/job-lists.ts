/**
 * Lists of seal jobs and open jobs as the host writes them, for tests. In IN, and after the call in OUT, one behind the other:
 * key (32) | length of the additional data (2) | length of the text, its tag included (2) | good (1) | additional data | text
 *
 * Text is what is sealed, with 16 octets of room for its tag behind it, or what is opened. The whole list is copied to OUT and
 * worked on there. False when it does not end where it should. IN and all scratch are wiped; OUT is the host's to wipe.
 */
import { IN_BYTES } from './abi';
import { AEAD_TAG_BYTES } from './aead';
import { loadU16, put } from './bytes';
import { IN, OUT } from './io';
import { MAX_OPEN_JOBS, openJobGood, openMany, queueOpen, resetOpenJobs } from './open-jobs';
import { queueSeal, resetSealJobs, sealMany } from './seal-jobs';
import { wipeCall } from './wipe';

const HEAD_BYTES: usize = 37;
const AAD_LENGTH: usize = 32;
const TEXT_LENGTH: usize = 34;
const GOOD: usize = 36;

/** Positions stand in the additional data (seal-jobs.ts). */
const LEAST_AAD: usize = 34;

/** Seals every text in one sealMany(). */
export function sealList(length: u32): bool {
  const fits = takeList(length);
  if (fits) {
    resetSealJobs();
    for (let job = OUT; job < OUT + length; job = jobEnd(job)) {
      queueSeal(job, aadOf(job), aadLength(job), textOf(job), textLength(job) - AEAD_TAG_BYTES);
    }
    sealMany();
  }
  wipeCall(IN, IN_BYTES);
  return fits;
}

/** Opens every text in one openMany(), and says of each whether it is good. */
export function openList(length: u32): bool {
  const fits = takeList(length);
  if (fits) {
    resetOpenJobs();
    for (let job = OUT; job < OUT + length; job = jobEnd(job)) {
      queueOpen(job, aadOf(job), aadLength(job), textOf(job), textLength(job));
    }
    openMany();
    let index: u32 = 0;
    for (let job = OUT; job < OUT + length; job = jobEnd(job)) {
      store<u8>(job, openJobGood(index++) ? 1 : 0, GOOD);
    }
    resetOpenJobs();
  }
  wipeCall(IN, IN_BYTES);
  return fits;
}

function takeList(length: u32): bool {
  if (length > IN_BYTES) return false;
  const end = IN + length;
  let count: u32 = 0;
  let job = IN;
  for (; job + HEAD_BYTES <= end; job = jobEnd(job)) {
    if (aadLength(job) < LEAST_AAD || textLength(job) < AEAD_TAG_BYTES) return false;
    count++;
  }
  if (job != end || count > MAX_OPEN_JOBS) return false;
  put(OUT, IN, length);
  return true;
}

function aadLength(job: usize): usize {
  return loadU16(job + AAD_LENGTH);
}

function textLength(job: usize): usize {
  return loadU16(job + TEXT_LENGTH);
}

function aadOf(job: usize): usize {
  return job + HEAD_BYTES;
}

function textOf(job: usize): usize {
  return aadOf(job) + aadLength(job);
}

function jobEnd(job: usize): usize {
  return textOf(job) + textLength(job);
}
