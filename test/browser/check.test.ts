/** The shipped module in a real browser: it judges and masks exactly as in Node, so that a page can check before it sends. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { build } from 'esbuild';
import { type Browser, chromium as driver } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Checker } from '../../client/check.ts';
import { generateDay } from '../../client/generate/day.ts';
import { type moduleFile, PLAIN_FILE, RELAXED_FILE } from '../../wasm/host/module-file.ts';
import { encodeRecord } from '../../wire/record.ts';
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
      contents: `export { Checker } from './client/check.ts';
        export { moduleFile } from './wasm/host/module-file.ts';`,
      resolveDir: ROOT,
    },
    ...{ bundle: true, format: 'iife', globalName: 'sealpost', platform: 'browser', write: false },
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
