/**
 * Guiyang's county-level divisions (GB/T 2260) with names for addresses in them. Districts and towns are real, roads mostly;
 * which number, building or room stands behind a name is drawn at random, so that no address is anyone's.
 */
export interface District {
  code: string;
  name: string;
  /** Relative number of parcels handed in. */
  share: number;
  roads: readonly string[];
  /** Residential compounds (小区). */
  compounds: readonly string[];
  /** Malls, office towers, universities, markets. */
  landmarks: readonly string[];
  towns: readonly string[];
}

const list = (text: string): readonly string[] => text.split(' ');

export const GUIYANG_DISTRICTS: readonly District[] = [
  {
    code: '520102',
    name: '南明区',
    share: 26,
    roads: list(
      '中华南路 遵义路 解放路 新华路 宝山南路 沙冲南路 沙冲北路 市南路 青年路 瑞金南路 都司路 中山东路 箭道街 花果园大街 五里冲路 富源中路 龙洞堡大道 见龙洞路',
    ),
    compounds: list(
      '花果园M区 花果园R1区 花果园C区 山水黔城 兴隆花园 鸿基小区 都市春天 中天花园 阳光小区 沙冲小区 甲秀花园 龙洞堡小区',
    ),
    landmarks: list(
      '花果园购物中心 国贸广场 荔星名店 鸿通城 西南商贸批发市场 贵阳龙洞堡电商园 亨特国际 富中国际广场',
    ),
    towns: list('后巢乡 云关乡 小碧布依族苗族乡 永乐乡'),
  },
  {
    code: '520103',
    name: '云岩区',
    share: 24,
    roads: list(
      '中华北路 延安东路 延安中路 延安西路 瑞金北路 北京路 宝山北路 黔灵东路 黔灵西路 中山西路 飞山街 公园路 威清路 三桥南路 三桥北路 头桥路 大营路 市北路 鹿冲关路 水东路',
    ),
    compounds: list(
      '未来方舟D组团 未来方舟F组团 中天世纪新城 黔灵小区 三桥小区 金狮小区 宅吉小区 大营坡花园 茶园小区 都市花园 翡翠小区 水东花园',
    ),
    landmarks: list(
      '贵阳恒峰步行街 喷水池星力百货 贵州师范大学宝山校区 贵州医科大学北京路校区 未来方舟万科广场 三桥马王庙市场 智慧龙城 世贸广场',
    ),
    towns: list('黔灵镇 渔安街道 水东街道'),
  },
  {
    code: '520111',
    name: '花溪区',
    share: 16,
    roads: list(
      '花溪大道南段 花溪大道中段 清溪路 贵筑路 明珠大道 珠江路 黄河路 长江路 浦江路 松花江路 思雅路 栋青路 甲秀南路 霞晖路 学士路',
    ),
    compounds: list(
      '溪山花园 溪北小区 清溪花园 贵筑小区 平桥小区 小河珠江花园 中曹司小区 兴隆珠江湾 花溪碧桂园 孔学堂小区',
    ),
    landmarks: list(
      '贵州大学北校区 贵州大学西校区 贵州民族大学 贵州财经大学花溪校区 贵州师范大学花溪校区 贵州轻工职业技术学院 花溪万宜广场 小河万科大都会',
    ),
    towns: list(
      '青岩镇 石板镇 孟关苗族布依族乡 党武街道 燕楼镇 久安乡 高坡苗族乡 黔陶布依族苗族乡 麦坪镇 马铃布依族苗族乡',
    ),
  },
  {
    code: '520112',
    name: '乌当区',
    share: 6,
    roads: list('新添大道南段 新添大道北段 育新路 航天大道 高新路 新创路 顺海路 火炬大道 松溪路'),
    compounds: list('新添花园 顺海小区 乌当保利温泉新城 振华小区 高新花园 航天花园 松溪小区'),
    landmarks: list('贵州中医药大学时珍学院 乌当区行政中心 泉城五韵商业街 智汇云锦孵化基地'),
    towns: list('东风镇 水田镇 羊昌镇 下坝镇 百宜镇 新场镇 偏坡布依族乡 新堡布依族乡'),
  },
  {
    code: '520113',
    name: '白云区',
    share: 8,
    roads: list(
      '白云南路 白云中路 白云北路 同心东路 同心西路 云峰大道 云环东路 中环路 育才路 七一路 长山路 龚家寨路',
    ),
    compounds: list('白云花园 龚家寨小区 同心小区 铝厂花园 云城尚品 恒大城 南湖小区 七冶小区'),
    landmarks: list('白云区万达广场 贵阳综合保税区跨境电商园 白云区中医院 泉湖公园商业街'),
    towns: list('艳山红镇 麦架镇 沙文镇 牛场布依族乡 都拉布依族乡'),
  },
  {
    code: '520115',
    name: '观山湖区',
    share: 13,
    roads: list(
      '长岭北路 长岭南路 林城东路 林城西路 观山东路 观山西路 金朱东路 金朱西路 石标路 兴筑西路 金阳北路 金阳南路 诚信南路 诚信北路 云潭南路 云潭北路 石林西路 翠柳路',
    ),
    compounds: list(
      '世纪城龙耀苑 世纪城龙禧苑 金华园小区 碧海花园 新世界花园 金岭社区 会展城小区 中天铭廷 美的林城时代 绿地新都会',
    ),
    landmarks: list(
      '贵阳国际会议展览中心 观山湖万达广场 贵州金融城 大唐东原财富广场 贵阳北站 华润万象汇 西南国际商贸城 贵阳一中',
    ),
    towns: list('百花湖镇 金华镇 朱昌镇'),
  },
  {
    code: '520121',
    name: '开阳县',
    share: 2,
    roads: list('开州大道 望城路 南山路 磷都大道 紫兴街 环湖路 干堰路'),
    compounds: list('开州花园 磷都小区 紫江小区 望城坡小区'),
    landmarks: list('开阳县第一中学 硒城广场 开阳县农产品交易市场'),
    towns: list(
      '双流镇 金中镇 冯三镇 楠木渡镇 龙岗镇 南龙乡 禾丰布依族苗族乡 南江布依族苗族乡 花梨镇 高寨苗族布依族乡',
    ),
  },
  {
    code: '520122',
    name: '息烽县',
    share: 1.2,
    roads: list('花园东路 花园西路 县府路 文化东路 虎城大道 永阳路'),
    compounds: list('虎城小区 永靖花园 河滨小区 文萃小区'),
    landmarks: list('息烽县第一中学 虎城大道商业街 息烽客运站'),
    towns: list('永靖镇 温泉镇 九庄镇 小寨坝镇 西山镇 养龙司镇 石硐镇 鹿窝镇 流长镇 青山苗族乡'),
  },
  {
    code: '520123',
    name: '修文县',
    share: 1.4,
    roads: list('翠屏东路 翠屏西路 阳明大道 龙场大道 人民南路 马家桥路'),
    compounds: list('阳明花园 龙冈小区 翠屏小区 景阳花园'),
    landmarks: list('修文县第一中学 阳明洞旅游商品街 修文猕猴桃交易中心'),
    towns: list('扎佐镇 久长镇 六广镇 六屯镇 洒坪镇 六桶镇 谷堡镇 小箐镇 大石布依族乡'),
  },
  {
    code: '520181',
    name: '清镇市',
    share: 2.4,
    roads: list('云岭东路 云岭西路 红枫街 百花路 富强路 百马大道 前进路 建国路 塔峰路'),
    compounds: list('红枫小区 百花小区 巢凤花园 塔峰小区 云岭花园 时光贵州小区'),
    landmarks: list('清镇职教城 时光贵州商业街 贵州建设职业技术学院 四季贵州温泉商业街'),
    towns: list(
      '红枫湖镇 站街镇 卫城镇 新店镇 犁倭镇 暗流镇 王庄布依族苗族乡 麦格苗族布依族乡 流长苗族乡',
    ),
  },
];
