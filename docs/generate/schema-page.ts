/** A page of tables from a zod schema: one table an object, one line a key. */
import { z } from "zod";
import { secret } from "../../collectors/runtime/fields.ts";

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

type Properties = Readonly<Record<string, JsonSchema>>;

const secretUnion = JSON.stringify((z.toJSONSchema(secret, { io: "input" }) as JsonSchema).anyOf);
const durationPattern = "^\\d+(\\.\\d+)?(ms|s|m|h)$";

/**
 * @param root - how the text calls the outermost object.
 * @returns sections of Markdown.
 * @throws Error naming every key without a description.
 */
export function schemaTables(schema: z.ZodType, root: string): string {
  const json = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    // What a default stands at before it is parsed is not known for a duration: it is written back below.
    override({ zodSchema, jsonSchema }) {
      const { def } = zodSchema._zod;
      if (def.type === "default") jsonSchema.default = def.defaultValue as never;
    },
  }) as JsonSchema;
  const page = new Page();
  page.open(json, "", root);
  if (page.undescribed.length > 0)
    throw new Error(`${root}: no description: ${[...new Set(page.undescribed)].join(", ")}`);
  return page.text();
}

class Page {
  readonly undescribed: string[] = [];
  readonly #sections: string[] = [];
  /** Where an object was described, by its schema: what stands twice is described once. */
  readonly #known = new Map<string, string>();
  readonly #waiting: { readonly schema: JsonSchema; readonly path: string }[] = [];

  open(schema: JsonSchema, path: string, title: string): void {
    this.#object(schema, path, title);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const later = this.#waiting.splice(0);
      this.#object(next.schema, next.path, `\`${next.path}\``);
      // What an object holds comes right after it.
      this.#waiting.push(...later);
    }
  }

  text(): string {
    return this.#sections.join("\n\n");
  }

  #object(schema: JsonSchema, path: string, title: string): void {
    const variants = schema.oneOf ?? schema.anyOf;
    if (variants === undefined)
      this.#section(title, schema.description, this.#table(schema.properties!, schema.required ?? [], path));
    else this.#variants(variants, path, title);
  }

  /** What all have in common once, and then what each has of its own. */
  #variants(variants: readonly JsonSchema[], path: string, title: string): void {
    const [first, ...rest] = variants.map(({ properties }) => properties!);
    const inAll = Object.keys(first!).filter((key) =>
      rest.every((properties) => JSON.stringify(properties[key]) === JSON.stringify(first![key])),
    );
    const tag = Object.keys(first!).find((key) =>
      variants.every(({ properties }) => properties![key]?.const !== undefined),
    );
    if (tag === undefined) throw new Error(`${path}: a union of objects that no key tells apart`);
    const common = Object.fromEntries(inAll.map((key) => [key, first![key]!]));
    const kinds = variants.map(({ properties }) => properties![tag]!);
    const described = {
      ...common,
      [tag]: { enum: kinds.map((kind) => kind.const), description: "see below" },
    };
    this.#section(title, undefined, this.#table(described, variants[0]!.required ?? [], path));
    const lines = kinds.map((kind) => {
      if (kind.description === undefined) this.undescribed.push(`${path}.${tag}: ${kind.const}`);
      return `| ${code(kind.const)} | ${cell(kind.description ?? "")} |`;
    });
    this.#sections.push([`| \`${tag}\` | meaning |`, "|---|---|", ...lines].join("\n"));
    for (const [i, { properties, required = [] }] of variants.entries()) {
      const own = Object.entries(properties!).filter(([key]) => key !== tag && !inAll.includes(key));
      if (own.length > 0)
        this.#section(
          `${title} with \`${tag}: ${kinds[i]!.const}\``,
          undefined,
          this.#table(Object.fromEntries(own), required, path),
        );
    }
  }

  #section(title: string, description: string | undefined, table: string): void {
    const about = description === undefined ? [] : [`${capital(description)}.`];
    this.#sections.push([`## ${title}`, ...about, table].join("\n\n"));
  }

  #table(properties: Properties, required: readonly string[], path: string): string {
    const lines = Object.entries(properties).map(([key, schema]) => {
      const at = path === "" ? key : `${path}.${key}`;
      if (schema.description === undefined) this.undescribed.push(at);
      const need =
        schema.default !== undefined ? defaultOf(schema) : required.includes(key) ? "required" : "optional";
      return `| \`${key}\` | ${this.#type(schema, at)} | ${need} | ${cell(schema.description ?? "")} |`;
    });
    return ["| key | type | default | meaning |", "|---|---|---|---|", ...lines].join("\n");
  }

  #type(schema: JsonSchema, path: string): string {
    if (schema.const !== undefined) return code(schema.const);
    if (schema.enum !== undefined) return schema.enum.map(code).join(" \\| ");
    if (schema.properties !== undefined) return this.#link(schema, path);
    const union = schema.oneOf ?? schema.anyOf;
    if (JSON.stringify(union) === secretUnion) return "secret";
    if (union !== undefined) {
      const objects = union.filter(({ properties }) => properties !== undefined);
      if (objects.length === union.length && schema.oneOf !== undefined) return this.#link(schema, path);
      return union.map((one) => this.#member(one, path)).join(" or ");
    }
    switch (schema.type) {
      case "array":
        if (schema.prefixItems !== undefined)
          return `[${schema.prefixItems.map((item) => this.#type(item, path)).join(", ")}]`;
        return `list of ${this.#type(schema.items!, `${path}[]`)}${schema.minItems ? `, at least ${schema.minItems}` : ""}`;
      case "object":
        return typeof schema.additionalProperties === "object"
          ? `map of name to ${this.#type(schema.additionalProperties, `${path}.*`)}`
          : "map";
      case "integer":
        return `whole number${range(schema)}`;
      case "number":
        return `number${range(schema)}`;
      case "boolean":
        return "`true` \\| `false`";
      case "string":
        return schema.pattern === durationPattern ? "duration" : "text";
      default:
        return "any";
    }
  }

  /** A small object in a union is written out; its keys are described where the union stands. */
  #member(schema: JsonSchema, path: string): string {
    const { properties } = schema;
    if (properties === undefined) return this.#type(schema, path);
    const keys = Object.entries(properties);
    if (keys.length > 3) return this.#link(schema, `${path}.${keys[0]![0]}…`);
    const parts = keys.map(([key, one]) => {
      if (one.description === undefined) this.undescribed.push(`${path}.${key}`);
      return `\`${key}\` (${this.#type(one, `${path}.${key}`)}: ${cell(one.description ?? "")})`;
    });
    return `{ ${parts.join(", ")} }`;
  }

  #link(schema: JsonSchema, path: string): string {
    const { description: _, default: __, ...shape } = schema;
    const identity = JSON.stringify(shape);
    let name = this.#known.get(identity);
    if (name === undefined) {
      name = path;
      this.#known.set(identity, name);
      this.#waiting.push({ schema, path });
    }
    return `[\`${name}\`](#${anchor(name)})`;
  }
}

/** As GitHub makes it of a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");

const code = (value: unknown): string => `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

const capital = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}`;

function range({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const high = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  const low = minimum !== undefined && minimum > -Number.MAX_SAFE_INTEGER ? minimum : undefined;
  if (exclusiveMinimum !== undefined)
    return `, above ${exclusiveMinimum}${high === undefined ? "" : `, at most ${high}`}`;
  if (low !== undefined && high !== undefined) return `, ${low} to ${high}`;
  if (low !== undefined) return `, at least ${low}`;
  return high === undefined ? "" : `, at most ${high}`;
}

function defaultOf({ default: value, pattern }: JsonSchema): string {
  if (pattern === durationPattern) return code(durationText(value as number));
  if (Array.isArray(value))
    return `\`[${cell(value.map((one) => (typeof one === "object" ? inline(one) : one)).join(", "))}]\``;
  return code(value);
}

const inline = (value: object): string =>
  `{ ${Object.entries(value)
    .map(([key, one]) => `${key}: ${one}`)
    .join(", ")} }`;

function durationText(millis: number): string {
  for (const [unit, size] of [
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
  ] as const)
    if (millis % size === 0) return `${millis / size}${unit}`;
  return `${millis}ms`;
}
