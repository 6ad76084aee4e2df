/** Addresses of the shapes that people write: roads, compounds with building, unit and room, malls, campuses, villages. */
import type { County } from './divisions.ts';
import { type District, GUIYANG_DISTRICTS } from './guiyang.data.ts';
import { type Prng, weights } from './prng.ts';

export interface Address {
  text: string;
  /** Six digits, GB/T 2260. */
  division: string;
}

const ROADS =
  '人民路 解放路 建设路 中山路 和平路 新华路 文化路 胜利路 长江路 黄河路 朝阳路 迎宾大道 科技路 学府路 滨江路 青年路 工业大道 环城东路 环城西路 育才路 兴业路 金融街 体育路 公园路'.split(
    ' ',
  );
const COMPOUNDS =
  '阳光小区 幸福里小区 万科城市花园 碧桂园 恒大绿洲 锦绣花园 金色家园 绿城玫瑰园 丽景苑 翠湖名邸 水岸华庭 保利香槟花园 中海国际社区 世纪花园 东方名城 教师新村 机关宿舍 御景湾 凤凰城 学府花园'.split(
    ' ',
  );
const LANDMARKS =
  '万达广场 科技园 软件园A区 大学城 人民医院 第一中学 国际商贸城 工业园区 创业大厦 物流园 职业技术学院 政务服务中心 银泰城 农贸市场'.split(
    ' ',
  );
const VILLAGE_FIRST = [...'合上下大小新龙石杨马黄高水双金青平云凤白铁林竹茶三'];
const VILLAGE_SECOND = [...'朋坝寨坪坡山井湾桥塘冲关沟岩田堡溪场营龙'];
const TOWN_SECOND = '坪 关 水 场 桥 山 江 田 坝 溪 河 塘'.split(' ');
const CHINESE_DIGITS = [...'一二三四五六七八九十'];
const REMARKS = [
  '（放菜鸟驿站）',
  '（送货前请打电话）',
  '（工作日送）',
  '（放门卫室）',
  '（放丰巢柜，谢谢）',
  '（家里有老人，请送货上门，不要放在门口或者驿站，谢谢）',
];

const districts = weights(GUIYANG_DISTRICTS.map((district) => [district, district.share] as const));
const building = weights([
  ['栋', 60],
  ['号楼', 25],
  ['幢', 10],
  ['座', 5],
] as const);

interface Names {
  roads: readonly string[];
  compounds: readonly string[];
  landmarks: readonly string[];
  town: string;
  /** Share of village addresses. */
  rural: number;
}

/** A district of Guiyang, by the number of parcels handed in there. */
export function guiyangDistrict(random: Prng): District {
  return random.weighted(districts);
}

/** A sender's address in the district, with the province and city in front of most. */
export function guiyangAddress(random: Prng, district: District): Address {
  const rural = district.code < '520120' ? 0.06 : 0.3;
  const style = random.float();
  const prefix =
    style < 0.72
      ? `贵州省贵阳市${district.name}`
      : style < 0.9
        ? `贵阳市${district.name}`
        : style < 0.97
          ? district.name
          : '';
  const place = local(random, { ...district, town: random.pick(district.towns), rural });
  return { text: prefix + place, division: district.code };
}

/** A recipient's address in any county. */
export function addressIn(random: Prng, county: County): Address {
  const district = GUIYANG_DISTRICTS.find(({ code }) => code === county.code);
  if (district) return guiyangAddress(random, district);
  const province = county.province === county.city ? '' : county.province;
  const prefix = random.chance(0.92)
    ? province + county.city + county.name
    : county.city + county.name;
  const names = {
    roads: ROADS,
    compounds: COMPOUNDS,
    landmarks: LANDMARKS,
    town: `${random.pick(VILLAGE_FIRST)}${random.pick(TOWN_SECOND)}镇`,
    rural: county.name.endsWith('区') ? 0.08 : 0.35,
  };
  const remark = random.chance(0.025) ? random.pick(REMARKS) : '';
  return { text: prefix + local(random, names) + remark, division: county.code };
}

function local(random: Prng, names: Names): string {
  if (random.chance(names.rural)) return names.town + village(random);
  const style = random.float();
  const road = random.pick(names.roads);
  if (style < 0.42)
    return `${road}${random.between(1, 320)}号${random.pick(names.compounds)}${room(random)}`;
  if (style < 0.6) return random.pick(names.compounds) + room(random);
  if (style < 0.78)
    return `${road}${random.between(1, 480)}号${random.chance(0.3) ? `附${random.between(1, 30)}号` : ''}`;
  return random.pick(names.landmarks) + inside(random);
}

/** Building, unit and room of a flat. */
function room(random: Prng): string {
  const number = `${random.between(1, 33)}${random.pick(['01', '02', '03', '04', '05', '06'])}`;
  const style = random.float();
  if (style < 0.62) {
    return `${random.between(1, 40)}${random.weighted(building)}${random.between(1, 4)}单元${number}${random.chance(0.7) ? '室' : '号'}`;
  }
  if (style < 0.8) return `${random.between(1, 30)}${random.weighted(building)}${number}`;
  return `${random.between(1, 30)}-${random.between(1, 4)}-${number}`;
}

/** A shop, an office or a dormitory in a landmark. */
function inside(random: Prng): string {
  const style = random.float();
  if (style < 0.35)
    return `${random.between(1, 6)}楼${random.text('ABCDEF', 1)}${random.digits(3)}号铺`;
  if (style < 0.65)
    return `${random.text('ABCD', 1)}座${random.between(1, 30)}层${random.between(1, 30)}${random.digits(2)}室`;
  if (style < 0.8)
    return `${random.between(1, 20)}栋宿舍${random.between(1, 6)}${random.digits(2)}`;
  return `${random.pick(['东门', '南门', '西门', '北门'])}${random.pick(['菜鸟驿站', '快递服务点', '收发室', '门卫'])}`;
}

function village(random: Prng): string {
  const name = `${random.pick(VILLAGE_FIRST)}${random.pick(VILLAGE_SECOND)}村`;
  const group = random.chance(0.7) ? random.pick(CHINESE_DIGITS) : String(random.between(1, 12));
  const style = random.float();
  if (style < 0.75) return `${name}${group}组`;
  return `${name}${group}组${random.between(1, 90)}号`;
}
