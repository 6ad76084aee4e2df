/**
 * The shipped module in a real browser: it judges and masks exactly as in Node, so that a page can check before it sends; and it
 * seals and opens, for a page that sends.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { build } from 'esbuild';
import { type Browser, chromium as driver } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Checker } from '../../client/check.ts';
import { OpenError } from '../../client/errors.ts';
import { generateDay } from '../../client/generate/day.ts';
import { Opener } from '../../client/open.ts';
import { TrustedLists } from '../../client/recipients.ts';
import { type moduleFile, PLAIN_FILE, RELAXED_FILE } from '../../wasm/host/module-file.ts';
import { encodeResult } from '../../wire/answer.ts';
import { concat, u16 } from '../../wire/bytes.ts';
import { OUTCOMES } from '../../wire/codes.ts';
import { SINGLE } from '../../wire/envelope.ts';
import { encodeRecord } from '../../wire/record.ts';
import { AUTHORITY } from '../support/fake-edge.ts';
import { CITY, makeEpoch, makeWorld, sealParcel } from '../support/fake-store.ts';
import { validRecord } from '../support/records.ts';
import { StreamEdge } from '../support/stream-edge.ts';
import { fromHex } from '../support/vectors.ts';
import { loadModule, moduleBytes } from '../support/wasm.ts';

const ROOT = join(import.meta.dirname, '../..');
const NOW = Date.UTC(2026, 10, 21, 0);

let browser: Browser;
let server: Server;
let script: string;

beforeAll(async () => {
  const built = await build({
    stdin: {
      contents: `export * from './client/index.ts';
        export { moduleFile } from './wasm/host/module-file.ts';`,
      resolveDir: ROOT,
    },
    ...{ bundle: true, format: 'iife', globalName: 'sealpost', platform: 'browser', write: false },
    // Where the module is, the page says itself.
    logOverride: { 'empty-import-meta': 'silent' },
  });
  script = built.outputFiles[0]?.text ?? '';
  server = createServer((request, response) => {
    const files: Record<string, [string, string | Buffer]> = {
      '/': ['text/html', '<!doctype html><title>check</title>'],
      '/check.js': ['text/javascript', script],
      [`/${RELAXED_FILE}`]: ['application/wasm', Buffer.from(moduleBytes(RELAXED_FILE))],
      [`/${PLAIN_FILE}`]: ['application/wasm', Buffer.from(moduleBytes(PLAIN_FILE))],
    };
    const [type, body] = files[request.url ?? ''] ?? ['text/plain', ''];
    response.writeHead(200, { 'content-type': type }).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  browser = await driver.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args, '--disable-background-networking', '--disable-component-update'],
    headless: true,
  });
});

afterAll(async () => {
  await browser?.close();
  server?.close();
});

it('judges a day in a browser as it does in Node', async () => {
  const day = { city: 'guiyang', parcels: 500, seed: 3, bad: 0.25, day: '2026-11-20' } as const;
  const records = [...generateDay(day)].flatMap(({ record, raw }) => {
    try {
      return [raw === undefined ? encodeRecord(record) : fromHex(raw)];
    } catch {
      return [];
    }
  });
  const checker = new Checker(new WebAssembly.Instance(loadModule()));
  const expected = records.map((cbor) => checker.check(cbor, NOW));
  expect(new Set(expected.map(({ code }) => code)).size).toBeGreaterThan(30);

  const page = await browser.newPage();
  const { port } = server.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.addScriptTag({ url: '/check.js' });
  const judged = await page.evaluate(
    async ([cbors, now, plain]) => {
      const { sealpost } = globalThis as unknown as {
        sealpost: { Checker: typeof Checker; moduleFile: typeof moduleFile };
      };
      const chosen = sealpost.moduleFile();
      const judge = async (file: string) => {
        const { instance } = await WebAssembly.instantiateStreaming(fetch(`/${file}`));
        const there = new sealpost.Checker(instance);
        return cbors.map((cbor) => there.check(Uint8Array.from(cbor), now));
      };
      return { chosen, verdicts: await judge(chosen), plainVerdicts: await judge(plain) };
    },
    [records.map((cbor) => [...cbor]), NOW, PLAIN_FILE] as const,
  );
  expect(judged.chosen).toBe(RELAXED_FILE);
  expect(judged.verdicts).toEqual(expected);
  expect(judged.plainVerdicts).toEqual(expected);
});

it('seals a submission and a stream in a browser, and opens their answers', async () => {
  const world = makeWorld(Date.now());
  const stream = new StreamEdge(4, world);
  const result = { place: 0, id: new Uint8Array(16), outcome: OUTCOMES.STORED, field: 0 };
  stream.handlers.set('POST /v1/parcels', async (request) => {
    const body = new Uint8Array(await request.arrayBuffer());
    const context = stream.receive(SINGLE, body.subarray(0, 39));
    expect(context.request.open(body.subarray(39))).toEqual(Uint8Array.of(0xa0));
    const answer = concat(encodeResult({ ...result, code: 0, warnings: 0, ruleset: 7 }), u16(0));
    const sealed = concat(context.responseNonce, context.seal(answer));
    return new Response(sealed, { headers: { 'content-type': SINGLE.responseType } });
  });

  const page = await browser.newPage();
  const { port } = server.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/`);
  // The page makes requests; they are answered here.
  await page.exposeFunction('ask', async (url: string, init: Asked) => {
    const { method, headers, body } = init;
    const request = new Request(url, {
      ...{ method, headers, ...(body && { body: Uint8Array.from(body) }) },
    });
    const answer = await stream.handle(request);
    const bytes = [...new Uint8Array(await answer.arrayBuffer())];
    return { status: answer.status, headers: [...answer.headers], body: bytes };
  });
  await page.addScriptTag({ url: '/check.js' });
  const party = [...stream.identity.id];
  const seed = [...stream.party.privateKey];
  const got = await page.evaluate(
    async ([url, city, rootKey, id, key]) => {
      const { sealpost, ask } = globalThis as unknown as {
        sealpost: typeof import('../../client/index.ts') & { moduleFile: typeof moduleFile };
        ask: (
          url: string,
          init: Asked,
        ) => Promise<{
          status: number;
          headers: [string, string][];
          body: number[];
        }>;
      };
      await sealpost.loadModule(`/${sealpost.moduleFile()}`);
      const edge = new sealpost.EdgeClient({
        ...{ url, city, rootKey: Uint8Array.from(rootKey) },
        fetch: async (to, { method, headers, body }) => {
          const sent = body === undefined ? null : [...(body as Uint8Array)];
          const entries = [...new Headers(headers)];
          const answer = await ask(to, { method: method as string, headers: entries, body: sent });
          const { status, headers: named } = answer;
          return new Response(Uint8Array.from(answer.body), { status, headers: named });
        },
      });
      const signer = sealpost.ed25519Signer(Uint8Array.from(key));
      const identity = { id: Uint8Array.from(id), signer };
      const single = await sealpost.submitRecord(edge, identity, Uint8Array.of(0xa0));
      const items = Array.from({ length: 300 }, (_, i) => ({
        ...{ cbor: Uint8Array.of(0, 0, i >> 8, i), key: i },
      }));
      const report = await sealpost.streamRecords(edge, identity, items, { fullDuplex: false });
      return { single, stored: report.counts.stored, results: report.results.length };
    },
    [`http://${AUTHORITY}`, CITY, [...world.root.publicKey], party, seed] as const,
  );
  expect(got.single).toMatchObject({ outcome: 'STORED', ruleset: 7 });
  expect([got.stored, got.results]).toEqual([300, 300]);
  expect(stream.stored.size).toBe(300);
});

interface Asked {
  method: string;
  headers: [string, string][];
  body: number[] | null;
}

it('opens parcels in a browser as it does in Node, and none that was changed', async () => {
  const world = makeWorld(NOW);
  const epoch = makeEpoch(world);
  const parcels = Array.from({ length: 300 }, (_, i) => {
    const one = validRecord(NOW);
    const bytes = sealParcel(world, epoch, one.id, encodeRecord(one));
    return i % 50 === 7 ? bytes.subarray(1) : bytes;
  });
  const lists = new TrustedLists(world.root.publicKey);
  lists.add(world.signedList);
  const here = new Opener(lists, world.readers);
  here.addEpoch(epoch.header);
  const expected = here.openAll(parcels.map((bytes) => ({ bytes })));

  const page = await browser.newPage();
  const { port } = server.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.addScriptTag({ url: '/check.js' });
  const there = await page.evaluate(
    async ([root, list, key, header, all]) => {
      const { sealpost } = globalThis as unknown as {
        sealpost: typeof import('../../client/index.ts') & { moduleFile: typeof moduleFile };
      };
      await sealpost.loadModule(`/${sealpost.moduleFile()}`);
      const known = new sealpost.TrustedLists(Uint8Array.from(root));
      known.add(Uint8Array.from(list));
      const opener = new sealpost.Opener(known, [sealpost.keyPair(Uint8Array.from(key))]);
      opener.addEpoch(Uint8Array.from(header));
      const opened = opener.openAll(all.map((bytes) => ({ bytes: Uint8Array.from(bytes) })));
      return opened.map((one) => (one instanceof sealpost.OpenError ? one.code : one));
    },
    [
      ...[[...world.root.publicKey], [...world.signedList]],
      ...[[...(world.readers[1] as { privateKey: Uint8Array }).privateKey], [...epoch.header]],
      parcels.map((bytes) => [...bytes]),
    ] as unknown as [number[], number[], number[], number[], number[][]],
  );
  expect(there).toEqual(expected.map((one) => (one instanceof OpenError ? one.code : one)));
  expect(there.filter((one) => one === 'parcel_malformed')).toHaveLength(6);
});
