/**
 * What the node says of its plant, in Chinese: names of what ships with it, and sentences made of a warning's own
 * numbers. In English all of it is said where it is found.
 */
import type { WarningType } from "../../core/warning-types.ts";
import type { Notice } from "../operations/door.ts";
import type { families } from "../operations/features/catalogue.ts";
import type { Trouble } from "../operations/operations.ts";
import type { VerificationRule } from "../operations/quality/reference.ts";
import type { Warning } from "../operations/warnings/warning.ts";

export const familiesZh: Readonly<Record<(typeof families)[number], string>> = {
  production: "生产",
  energy: "能源",
  vibration: "振动",
  logistics: "物流",
  "cold-chain": "冷链",
  retail: "零售",
  "supply-chain": "供应链",
  environment: "环境",
  credit: "信贷",
};

/** By the catalogue's name: a name, and what it means. */
export const featuresZh: Readonly<Record<string, readonly [name: string, meaning: string]>> = {
  operating_rate: ["开工率", "有观测且未排除的机器时间中工作的比例"],
  output_total: ["产量", "机器计数的件数"],
  reported_output_total: ["上报产量", "企业上报的件数"],
  output_per_hour: ["每小时产量", "机器每工作小时的件数"],
  stoppage_hours: ["停机小时", "没有原因可解释的机器停机小时数"],
  spindle_load_mean: ["主轴平均负载", "有观测时的平均负载"],
  energy_total: ["用电量", "电量，不含办公电表"],
  office_energy: ["办公用电", "办公电表的电量"],
  water_total: ["用水量", "水量，不含办公水表"],
  gas_total: ["用气量", "气量，不含办公气表"],
  energy_ratio: ["用电比", "用电量与观测时间内定额之比"],
  water_ratio: ["用水比", "用水量与定额之比"],
  gas_ratio: ["用气比", "用气量与定额之比"],
  energy_per_unit: ["单件电耗", "每件上报产品的用电量"],
  vibrating_share: ["振动时间占比", "传感器时间中高于静止水平 0.5 mm/s 的比例"],
  vibration_rms_mean: ["平均振动", "振动时的平均振动"],
  vibration_peak_max: ["振动峰值", "最大加速度"],
  real_capacity: ["实际产能", "振动时间占比与用电比的几何平均：空转而不切削的机器耗电较少"],
  idle_ratio: ["空转占比", "振动时间中用电量不足以支持的比例"],
  moving_share: ["行驶时间占比", "有观测的车辆时间中高于 5 km/h 的比例"],
  distance_total: ["行驶里程", "行驶的距离"],
  vehicle_gap_share: ["车辆失联占比", "车辆时间中没有信号的比例"],
  cargo_temperature_mean: ["货物平均温度", "有观测时间的平均；没有观测则无值"],
  cargo_temperature_max: ["货物最高温度", "观测到的最高值"],
  cargo_breach_minutes: ["超温分钟", "观测到高于场所限值的分钟数"],
  cargo_observed_share: ["温度观测占比", "有温度观测的时间比例"],
  stopped_reefer_off_minutes: ["停车断冷分钟", "停车且制冷关闭的分钟数：综合同一车辆的位置、电力和温度"],
  footfall_total: ["客流量", "经过的人数"],
  entry_rate: ["进店率", "进店人数与客流量之比"],
  transaction_rate: ["成交率", "小票数与进店人数之比（未计进店人数时与客流量之比）"],
  conversion_rate: ["转化率", "小票数与客流量之比"],
  basket: ["客单价", "每张小票的金额"],
  sales_total: ["销售额", "小票金额"],
  flow_revenue: ["客流营收", "客流量 × 转化率 × 客单价；没有小票则无值"],
  payment_cover: ["收款覆盖率", "到账金额与小票金额之比"],
  stock_cover: ["库存覆盖率", "按场所正常毛利折算的用货与小票金额之比"],
  closed_shops: ["停业门店", "窗口内有上报但没有销售的门店"],
  declared_revenue: ["申报营收", "向主管部门申报的金额，按窗口折算"],
  revenue_gap: ["营收缺口", "申报营收中小票未体现的比例"],
  order_delay_rate: ["订单延误率", "延误订单与到期订单之比"],
  orders_total: ["订单量", "到期的订单"],
  inventory_turnover: ["库存周转率", "每年的销货成本与平均库存之比"],
  shipments_total: ["出货量", "出门的件数"],
  ambient_temperature_mean: ["平均气温", "空气的平均温度"],
  humidity_mean: ["平均湿度", "平均相对湿度"],
  particulates_mean: ["平均粉尘", "平均细颗粒物"],
  imputed_share: ["填补占比", "全部单元中填补而非观测的比例"],
  gap_share: ["空缺占比", "全部单元中仍为空的比例"],
  business_age: ["经营年限", "基本信息：注册以来的年数"],
  loans_open_max: ["未结清贷款", "基本信息：尚未还清的贷款数"],
  debt_ratio_last: ["资产负债率", "偿债能力：负债与资产之比"],
  current_ratio_last: ["流动比率", "偿债能力：流动资产与流动负债之比"],
  instalment_cover: ["还款覆盖率", "偿债能力：收入与到期还款之比"],
  paid_share: ["还款比例", "不良记录：已还与应还之比"],
  days_overdue_max: ["最长逾期", "不良记录：最早一笔未还款的天数"],
  external_debt_last: ["外部负债", "外部状况：欠他人的金额"],
  credit_enquiries_total: ["征信查询", "外部状况：他人的查询次数"],
};

/** By the catalogue's name. */
export const metricsZh: Readonly<Record<string, string>> = {
  run_state: "运行状态",
  output_count: "产量计数",
  reported_output: "上报产量",
  spindle_load: "主轴负载",
  active_power: "有功功率",
  active_energy: "有功电量",
  water_volume: "用水量",
  gas_volume: "用气量",
  vibration_rms: "振动有效值",
  vibration_peak: "振动峰值",
  machine_temperature: "机器温度",
  torque: "扭矩",
  rotation: "转速",
  tool_wear: "刀具磨损",
  speed: "车速",
  odometer: "里程",
  position: "位置",
  nfc_tag: "NFC 标签",
  cargo_temperature: "货物温度",
  reefer_on: "制冷开启",
  door_open: "门开启",
  footfall: "客流",
  entries: "进店人数",
  transactions: "小票数",
  sales_amount: "销售金额",
  payment_amount: "到账金额",
  stock_used: "用货金额",
  orders_due: "到期订单",
  orders_late: "延误订单",
  goods_sold_cost: "销货成本",
  inventory_value: "库存金额",
  shipments: "出货件数",
  ambient_temperature: "气温",
  humidity: "湿度",
  particulates: "细颗粒物",
  debt_ratio: "资产负债率",
  current_ratio: "流动比率",
  years_in_business: "经营年数",
  loans_open: "未结清贷款",
  instalment_due: "应还款",
  instalment_paid: "已还款",
  days_overdue: "逾期天数",
  external_debt: "外部负债",
  credit_enquiries: "征信查询",
  "all channels": "全部通道",
};

export const rulesZh: Readonly<Record<VerificationRule, string>> = {
  energy_production: "能耗与产量",
  vibration_energy: "振动与能耗",
  pos_payments_inventory: "小票、收款与库存",
  logistics_production: "物流与产量",
  revenue_declared: "营收与申报",
};

type Said = (n: (name: string) => string, share: (name: string) => string, isOpen: boolean) => string;

const warnedZh: Readonly<Record<WarningType, Said>> = {
  temperature_breach: (n, _, isOpen) =>
    isOpen ? `${n("now")} °C，高于 ${n("limit")} °C` : `回到 ${n("now")} °C；最高 ${n("warmest")} °C`,
  vibration_peak: (n, _, isOpen) =>
    isOpen ? `${n("peak")} g，高于 ${n("limit")} g：需要维护` : `已低于 ${n("limit")} g`,
  anomaly: (n, _, isOpen) => (isOpen ? `当前 ${n("now")}，通常 ${n("usual")} ± ${n("spread")}` : "恢复通常"),
  own_limit: (n, _, isOpen) => (isOpen ? `${n("value")}，限值 ${n("limit")}` : `回到 ${n("value")}`),
  stoppage: (n, _, isOpen) => (isOpen ? `工作时间内已停 ${n("hours")} 小时` : "恢复工作"),
  dwell: (n) => `停留 ${n("hours")} 小时，允许 ${n("limitHours")} 小时`,
  unexplained_stop: (n, _, isOpen) =>
    isOpen ? `在未知地点停车 ${n("minutes")} 分钟，周围没有拥堵` : "重新行驶",
  route_deviation: (n, _, isOpen) =>
    isOpen ? `偏离路线 ${n("metres")} 米，允许 ${n("corridorMetres")} 米` : "回到路线",
  signal_lost: (n, _, isOpen) =>
    isOpen ? `已 ${n("minutes")} 分钟没有信号` : `${n("minutes")} 分钟后恢复信号`,
  operating_rate_fall: (_, share) => `开工率 ${share("now")}，通常 ${share("before")}`,
  idle_operation: (_, share) =>
    `机器 ${share("vibrating")} 的时间在转，用电为通常的 ${share("energy")}：实际产能约 ${share("capacity")}`,
  energy_production_mismatch: (_, share) =>
    `上报产量为定额的 ${share("reported")}，用电为 ${share("energy")}`,
  partial_shutdown: (_, share) => `为定额的：电 ${share("energy")}、水 ${share("water")}、气 ${share("gas")}`,
  full_shutdown: (_, share) => `为定额的：电 ${share("energy")}、水 ${share("water")}、气 ${share("gas")}`,
  declared_revenue_gap: (n) => `小票 ${n("sales")}，申报 ${n("declared")}`,
  order_loss: (_, share) =>
    `订单延误 ${share("delay")}，通常 ${share("usualDelay")}；库存周转慢 ${share("turnoverFall")}`,
  revenue_fall: (_, share) => `营收比通常低 ${share("fall")}`,
  sales_mismatch: (_, share) => `小票有收款支持 ${share("payments")}、有用货支持 ${share("stock")}`,
  low_conversion: (_, share) => `经过者中 ${share("now")} 购买，通常 ${share("before")}`,
};

/** @returns what a warning says, made of its numbers. */
export function warnedInChinese(
  { type, subject, numbers, closed }: Pick<Warning, "type" | "subject" | "numbers" | "closed">,
  number: (value: number) => string,
  percent: (share: number) => string,
): string {
  const shown = (format: (value: number) => string) => (name: string) => format(numbers[name] ?? Number.NaN);
  const said = warnedZh[type](shown(number), shown(percent), closed === undefined);
  return subject === undefined ? said : `${metricsZh[subject] ?? subject}：${said}`;
}

/** Names of a warning's numbers. */
export const numbersZh: Readonly<Record<string, string>> = {
  now: "当前",
  before: "通常",
  fall: "降幅",
  vibrating: "振动时间占比",
  energy: "用电比",
  capacity: "实际产能",
  idle: "空转占比",
  reported: "上报",
  water: "用水比",
  gas: "用气比",
  sales: "小票",
  declared: "申报",
  gap: "缺口",
  missing: "差额",
  closedShops: "停业门店",
  delay: "延误",
  usualDelay: "通常延误",
  turnover: "周转率",
  usualTurnover: "通常周转率",
  turnoverFall: "周转降幅",
  payments: "收款",
  stock: "用货",
  unexplained: "未解释",
  ofLimit: "为限值的倍数",
  usual: "通常",
  spread: "离散程度",
  metres: "米",
  corridorMetres: "允许米数",
  minutes: "分钟",
  lat: "纬度",
  lon: "经度",
  value: "值",
  limit: "限值",
  hours: "小时",
  limitHours: "允许小时",
  warmest: "最高",
  peak: "峰值",
};

const noticesZh: Readonly<Record<Notice, readonly [what: string, hint: string]>> = {
  unknown_metric: ["目录中没有的指标", "保存在数据段中但未被使用：请在 node.yaml 中更正其名称"],
  unit_not_ucum: ["不是 UCUM 代码的单位", "其值未被使用：kWh 写作 kW.h，°C 写作 Cel"],
  unit_other_kind: ["无法换算为该指标单位的单位", "其值未被使用"],
  ahead: ["超前于本机的时间", "请校准数据源的时钟：该读数按现在计"],
  not_a_number: ["指标为数值而收到文字", "作为坏值保存，从不使用"],
  beyond_2_53: ["大于 2^53 的数，不精确", "作为坏值保存，从不使用"],
};

const asideZh: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  unreadable: ["无法读取", "与配置所述格式不符；条目的状态说明了问题"],
  device_name: ["设备名称", "设备名称为 1 至 256 个字符，不含控制字符"],
  metric_name: ["指标名称", "指标名称为 1 至 256 个字符，不含控制字符"],
  unit_name: ["单位名称", "单位为 1 至 64 个字符的 UCUM 代码"],
  value_type: ["值的类型", "值为有限的数、至多 4,096 个字符的文字、true、false 或 null"],
  time_missing: ["缺少时间", "无法读取数据源的时间：请检查采集器的时间格式"],
  time_past: ["时间过早", "早于 2000 年：请校准数据源的时钟，或检查时间单位是 s、ms、us 还是 ns"],
  time_future: ["时间过晚", "远超本机时间：请校准数据源的时钟，或检查时间单位是 s、ms、us 还是 ns"],
  too_many_names: ["名称过多", "请登记属于此处的设备：未登记的名称数量有限"],
  batch_unreadable: ["批次无法读取", "已保存的批次无法写成数据段；其内容保留在导出文件中"],
};

const worksZh: Readonly<Record<string, string>> = { warnings: "预警", refresh: "刷新" };

/** @returns what is wrong and what to do, in Chinese; what another program said stays as it was said. */
export function troubleInChinese({ about }: Trouble): readonly [what: string, hint: string] {
  switch (about.kind) {
    case "configuration changed":
      return [`node.yaml 中的 ${about.keys} 已更改`, "这部分在节点下次启动时采用"];
    case "configuration refused":
      return [
        `node.yaml 未被采用：${about.cause}`,
        "节点按之前的配置运行；fedcredit node check 会指出全部问题",
      ];
    case "failed":
      return [`${worksZh[about.work] ?? about.work}失败：${about.cause}`, "会再次尝试；读数在此期间保留"];
    case "source":
      return [`数据源 ${about.name}：${about.cause}`, "其他数据源继续运行"];
    case "aside": {
      const [what, hint] = asideZh[about.reason] ?? [about.reason, "见 fedcredit node set-aside"];
      return [`被搁置（${what}）：${about.names}`, hint];
    }
    case "unwatched":
      return [`${about.gauges} 个量未作异常监测`, "一个节点监测 2,000 个：其余请自设限值"];
    case "notice": {
      const [what, hint] = noticesZh[about.notice];
      return [`${what}：${about.metric}（${about.unit}）`, hint];
    }
  }
}
