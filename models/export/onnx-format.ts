/** The messages of ONNX that a model here needs. @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
import protobuf from "protobufjs";

const repeated = (type: string, id: number) => ({ rule: "repeated", type, id });
const one = (type: string, id: number) => ({ type, id });

const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        irVersion: one("int64", 1),
        producerName: one("string", 2),
        docString: one("string", 6),
        graph: one("GraphProto", 7),
        opsetImport: repeated("OperatorSetIdProto", 8),
      },
    },
    OperatorSetIdProto: { fields: { domain: one("string", 1), version: one("int64", 2) } },
    GraphProto: {
      fields: {
        node: repeated("NodeProto", 1),
        name: one("string", 2),
        initializer: repeated("TensorProto", 5),
        input: repeated("ValueInfoProto", 11),
        output: repeated("ValueInfoProto", 12),
      },
    },
    NodeProto: {
      fields: {
        input: repeated("string", 1),
        output: repeated("string", 2),
        name: one("string", 3),
        opType: one("string", 4),
        attribute: repeated("AttributeProto", 5),
        domain: one("string", 7),
      },
    },
    AttributeProto: {
      fields: {
        name: one("string", 1),
        f: one("float", 2),
        i: one("int64", 3),
        s: one("bytes", 4),
        floats: repeated("float", 7),
        ints: repeated("int64", 8),
        strings: repeated("bytes", 9),
        type: one("int32", 20),
      },
    },
    TensorProto: {
      fields: {
        dims: repeated("int64", 1),
        dataType: one("int32", 2),
        stringData: repeated("bytes", 6),
        name: one("string", 8),
        rawData: one("bytes", 9),
      },
    },
    ValueInfoProto: { fields: { name: one("string", 1), type: one("TypeProto", 2) } },
    TypeProto: { fields: { tensorType: one("TensorType", 1) } },
    TensorType: { fields: { elemType: one("int32", 1), shape: one("TensorShapeProto", 2) } },
    TensorShapeProto: { fields: { dim: repeated("Dimension", 1) } },
    Dimension: { fields: { dimValue: one("int64", 1), dimParam: one("string", 2) } },
  },
});

/** TensorProto.DataType. */
export const elementTypes = { float: 1, int64: 7, string: 8, double: 11 } as const;
type ElementType = keyof typeof elementTypes;

type Attribute =
  | number
  | string
  | readonly string[]
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] };

/** AttributeProto.AttributeType: 2 an integer, 3 text, 6 floats, 7 integers, 8 texts. */
function attributeOf(name: string, value: Attribute) {
  if (typeof value === "number") return { name, i: value, type: 2 };
  if (typeof value === "string") return { name, s: Buffer.from(value), type: 3 };
  if ("ints" in value) return { name, ints: value.ints, type: 7 };
  if ("floats" in value) return { name, floats: value.floats, type: 6 };
  return { name, strings: value.map((text) => Buffer.from(text)), type: 8 };
}

/** A graph as it is put together: every method adds a node and gives the name of what it makes. */
export class OnnxGraph {
  readonly #nodes: object[] = [];
  readonly #constants: object[] = [];
  readonly #inputs: object[] = [];
  #made = 0;

  /** A column of one value a row, shape [rows, 1]. */
  input(name: string, type: ElementType): string {
    this.#inputs.push(columnOf(name, type));
    return name;
  }

  /** @param shape - of a matrix; one row where absent. */
  constant(
    type: "double" | "float" | "int64",
    values: ArrayLike<number>,
    shape: readonly number[] = [1, values.length],
  ): string {
    const name = this.#name();
    const rawData =
      type === "int64"
        ? Buffer.from(BigInt64Array.from(Array.from(values), BigInt).buffer)
        : Buffer.from((type === "double" ? Float64Array.from(values) : Float32Array.from(values)).buffer);
    this.#constants.push({ name, dims: shape, dataType: elementTypes[type], rawData });
    return name;
  }

  add(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = "",
  ): string {
    const output = this.#name();
    const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
    this.#nodes.push({ name: `node ${output}`, opType, input: inputs, output: [output], attribute, domain });
    return output;
  }

  /** @returns the file: a model with one output of shape [rows, 1]. */
  encode(name: string, result: string, output: string): Uint8Array {
    this.#nodes.push({ name: `node ${output}`, opType: "Identity", input: [result], output: [output] });
    return root
      .lookupType("ModelProto")
      .encode({
        irVersion: 8,
        producerName: "fedcredit",
        opsetImport: [
          { domain: "", version: 17 },
          { domain: "ai.onnx.ml", version: 3 },
        ],
        graph: {
          name,
          node: this.#nodes,
          initializer: this.#constants,
          input: this.#inputs,
          output: [columnOf(output, "double")],
        },
      } as never)
      .finish();
  }

  #name(): string {
    return `v${this.#made++}`;
  }
}

const columnOf = (name: string, type: ElementType) => ({
  name,
  type: {
    tensorType: { elemType: elementTypes[type], shape: { dim: [{ dimParam: "rows" }, { dimValue: 1 }] } },
  },
});
