/**
 * Parts of names. Surnames carry their approximate share in per mille of the population (public surname counts); given names
 * are put together from single characters at random, so that no full name is taken from a person.
 */
const pairs = (text: string): readonly (readonly [string, number])[] =>
  text.split(' ').map((entry) => {
    const [value = '', weight = '1'] = entry.split(':');
    return [value, Number(weight)] as const;
  });

export const SURNAMES = pairs(
  '王:72 李:71 张:68 刘:54 陈:45 杨:38 黄:22 赵:21 吴:20 周:20 徐:15 孙:15 马:13 朱:13 胡:13 郭:12 何:12 林:12 罗:12 高:11 ' +
    '郑:9 梁:9 谢:8 宋:8 唐:8 许:7 韩:7 邓:7 冯:7 曹:6 彭:6 曾:6 肖:6 田:6 董:5 潘:6 袁:5 蔡:5 蒋:5 余:5 于:5 杜:4 叶:4 ' +
    '程:4 魏:4 苏:4 吕:4 丁:4 任:4 卢:4 姚:4 沈:3 钟:3 姜:3 崔:3 谭:4 陆:3 范:3 汪:3 廖:3 石:4 金:3 韦:4 贾:2 夏:3 付:2 ' +
    '方:3 邹:3 熊:2 白:2 孟:2 秦:2 邱:2 侯:2 江:2 尹:2 薛:2 闫:2 雷:2 龙:4 史:2 陶:2 贺:2 毛:2 段:2 郝:2 顾:2 龚:3 邵:2 ' +
    '万:2 覃:2 武:1 钱:2 戴:2 严:2 莫:2 孔:1 向:2 安:1 敖:1 班:1 岑:1 冉:2 穆:1 吉:1 糜:0.2 逄:0.1 仉:0.1 ' +
    '令狐:0.8 欧阳:0.9 上官:0.3 司徒:0.2 诸葛:0.1 皇甫:0.1 慕容:0.1 尉迟:0.05 司马:0.1 夏侯:0.05 公孙:0.05',
);

export const GIVEN_FEMALE = [
  ...'芳娜敏静丽艳娟霞秀玲桂兰红梅燕琴雪莉萍英华慧巧美芬婷玉珍颖露瑶怡婵雁蓓佩琳茜欣晴雨梦涵诗紫菲彤悦妍蕾薇晓春凤洁云莲',
];
export const GIVEN_MALE = [
  ...'伟强磊军洋勇杰涛超明刚平辉鹏斌波俊飞凯浩宇轩博文建国志华永林龙松海山亮峰健翔旭东阳晨宁泽帆豪栋瑞毅诚昊然子天成兴',
];
/** Characters of the Unicode extensions and other rare ones that names really hold; several need two UTF-16 units. */
export const GIVEN_RARE = [...'喆犇淼骉堃翀璟頔赟祎彧翯昇玥㛃㐱䶮䲜𠮷𫍯𬭊𬱖𤩽𬍛𩽾𪨰𣲗'];

/** Given and family parts of Uyghur, Kazakh, Tibetan and Yi names, written with a separator (民委发〔2016〕33号). */
export const SEPARATED_GIVEN =
  '买买提 阿依古丽 热依汗 艾合买提 努尔兰 古丽娜尔 吐尔逊 帕提古丽 迪丽努尔 艾力 玉素甫 阿米娜 阿木 尔古 阿依 拉龙 沙马'.split(
    ' ',
  );
export const SEPARATED_FAMILY =
  '阿卜杜拉 买买提明 吾斯曼 艾山 卡德尔 托合提 阿不力孜 赛买提 依明 哈力克 木沙 库尔班 曲布 阿约 吉克 马海'.split(
    ' ',
  );

export const ORGANISATION_PLACES =
  '贵阳 贵州 贵阳南明 贵阳云岩 贵阳花溪 贵阳观山湖 贵阳白云 贵阳乌当 清镇 修文 开阳 息烽'.split(
    ' ',
  );
export const ORGANISATION_WORDS = [
  ...'黔筑林城顺达兴隆源和鑫盛通泰瑞丰宏诚信安康恒远博雅泽宇嘉禾云贵甲秀',
];
export const ORGANISATION_TRADES =
  '商贸 食品 茶业 农业科技 电子商务 服饰 电子科技 文化传媒 药业 酒业 生物科技 建材 机电设备 教育咨询 供应链管理'.split(
    ' ',
  );
