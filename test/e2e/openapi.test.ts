/** GET /v1/openapi.json over HTTP: a valid document, of which docs/reference.html is the page. */
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';

let service: TestService;
let document: { openapi: string; paths: Record<string, Record<string, { summary: string }>> };

beforeAll(async () => {
  service = await startTestService();
  const response = await fetch(`${service.url}/v1/openapi.json`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json');
  document = (await response.json()) as typeof document;
});
afterAll(() => service.stop());

describe('GET /v1/openapi.json', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('has no reference that leads nowhere', () => {
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
      ([, path]) => path as string,
    );
    expect(references.length).toBeGreaterThan(20);
    for (const path of references) {
      const found = path
        .split('/')
        .reduce((at: Record<string, unknown>, name) => at?.[name] as never, document as never);
      expect(found, path).toBeDefined();
    }
  });

  it('is what the page shows, which loads nothing', () => {
    const page = readFileSync(new URL('../../docs/reference.html', import.meta.url), 'utf8');
    for (const [path, item] of Object.entries(document.paths)) {
      expect(page).toContain(` ${path}</h2>`);
      for (const { summary } of Object.values(item)) expect(page).toContain(summary);
    }
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|src=|https?:\/\//);
  });
});
