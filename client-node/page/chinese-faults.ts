/** What is wrong with a policy, in Chinese: the schema's own words, and those of its authors. */
import type { z } from "zod";

const kinds: Readonly<Record<string, string>> = {
  number: "数字",
  int: "整数",
  bigint: "整数",
  string: "文字",
  boolean: "true 或 false",
  array: "列表",
  object: "键与值",
  record: "键与值",
  null: "空值",
  undefined: "空值",
  nan: "非数字",
};

const kindOf = (value: unknown): string =>
  kinds[value === null ? "null" : Array.isArray(value) ? "array" : typeof value] ?? "其他类型";

const quoted = (values: readonly unknown[]): string => values.map((one) => `“${String(one)}”`).join("、");

/** Characters, items, or the number itself. */
const measured = (origin: string, amount: string): string =>
  origin === "string"
    ? `${amount} 个字符`
    : ["array", "set", "map"].includes(origin)
      ? `${amount} 项`
      : amount;

export const chineseErrors: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type": {
      const wanted = `应为${kinds[issue.expected] ?? issue.expected}`;
      return issue.input === undefined ? `缺少此项，${wanted}` : `${wanted}，而这里是${kindOf(issue.input)}`;
    }
    case "invalid_value":
      return issue.values.length === 1
        ? `应为${quoted(issue.values)}`
        : `应为下列之一：${quoted(issue.values)}`;
    case "too_big":
      return `${issue.inclusive ? "最多为" : "应小于"} ${measured(issue.origin, String(issue.maximum))}`;
    case "too_small":
      return `${issue.inclusive ? "至少为" : "应大于"} ${measured(issue.origin, String(issue.minimum))}`;
    case "not_multiple_of":
      return `应为 ${issue.divisor} 的倍数`;
    case "unrecognized_keys":
      return `没有这样的键：${quoted(issue.keys)}`;
    case "invalid_union":
      return "不是任何一种可用的写法";
    case "invalid_format":
      return "格式不对";
    default:
      return "此处不可用";
  }
};

/** Messages that a schema's author wrote. */
const own: readonly (readonly [RegExp, (...parts: string[]) => string])[] = [
  [/^needed: a field of class quasi may pass$/, () => "需要填写：有准标识字段（quasi）可以通过"],
  [
    /^"(.*)": a C3 field never leaves/s,
    (name) => `“${name}”：C3 字段绝不离开本机，只能丢弃（drop）或仅计入汇总（aggregate-only）`,
  ],
  [
    /^"(.*)": (\S+) is not for a field of class (\w+)$/s,
    (name, operator, of) => `“${name}”：“${operator}”不适用于类别为“${of}”的字段`,
  ],
  [/^"(.*)" has two lines$/s, (name) => `“${name}”写了两行`],
  [/^"(.*)" reads "(.*)", which has no line$/s, (name, other) => `“${name}”要读取“${other}”，而后者没有一行`],
  [/^no character twice$/, () => "同一字符不得出现两次"],
  [/^low must be below high$/, () => "low 应小于 high"],
  [/^letters, numbers, spaces and/, () => "只能用字母、数字、空格和 . , ' ( ) -，最多 40 个"],
  [/^lowercase letters, digits and hyphens/, () => "只能用小写字母、数字和连字符，最多 63 个"],
];

/** @returns a message in Chinese where it is one of ours, as it is otherwise. */
export function inChinese(message: string): string {
  for (const [pattern, say] of own) {
    const found = pattern.exec(message);
    if (found !== null) return say(...found.slice(1));
  }
  return message;
}
