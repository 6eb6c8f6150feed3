/**
 * What a message costs once it is decoded is not what it costs to send: two bytes can become an object of a kilobyte.
 * Each message is looked over before it is decoded, and one of very many very small elements is refused.
 */
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import type { PackageDefinition } from "@grpc/proto-loader";
import { Refusal } from "../core/reasons.ts";

/** A message's fields that hold messages, or several values: by number. */
type Shape = Map<number, { readonly repeated: boolean; readonly inner: Shape | undefined }>;

/** What protobuf says of a message type, as the loader hands it on. */
interface Described {
  readonly type: {
    readonly name: string;
    readonly field: readonly {
      readonly number: number;
      readonly label: string;
      readonly type: string;
      readonly typeName: string;
    }[];
  };
}

// A message within a message takes forty bytes here, a digest thirty-four; short texts are few.
const weightOfMessage = 2;
const leastLookedAt = 20_000;
const mostWeight = (bytes: number): number => leastLookedAt + bytes / 16;

const malformed = (): Refusal => new Refusal("message_malformed", "not a message of this protocol");

/** @returns the package, each of whose methods looks its messages over before it decodes them. */
export function boundElements(definition: PackageDefinition): PackageDefinition {
  const shapes = new Map<string, Shape>();
  const shapeOf = (scope: string, name: string): Shape => {
    const known = shapes.get(name);
    if (known !== undefined) return known;
    const shape: Shape = new Map();
    shapes.set(name, shape);
    const { type } = definition[`${scope}${name}`] as unknown as Described;
    for (const { number, label, type: kind, typeName } of type.field)
      shape.set(number, {
        repeated: label === "LABEL_REPEATED",
        inner: kind === "TYPE_MESSAGE" ? shapeOf(scope, typeName) : undefined,
      });
    return shape;
  };
  const bounded = (scope: string, method: Method): Method => {
    const { requestDeserialize, requestType, responseDeserialize, responseType } = method;
    const looking = (described: unknown, decode: Method["requestDeserialize"]) => {
      const shape = shapeOf(scope, (described as Described).type.name);
      return (bytes: Buffer): object => {
        requireFew(bytes, shape);
        return decode(bytes);
      };
    };
    return {
      ...method,
      requestDeserialize: looking(requestType, requestDeserialize),
      responseDeserialize: looking(responseType, responseDeserialize),
    };
  };
  return Object.fromEntries(
    Object.entries(definition).map(([name, one]) => {
      if ("format" in one) return [name, one];
      const scope = name.slice(0, name.lastIndexOf(".") + 1);
      const methods = Object.entries(one as ServiceDefinition as Record<string, Method>);
      return [name, Object.fromEntries(methods.map(([key, method]) => [key, bounded(scope, method)]))];
    }),
  ) as PackageDefinition;
}

type Method = MethodDefinition<object, object> & {
  readonly requestType: unknown;
  readonly responseType: unknown;
};

/** @throws Refusal message_malformed where the message has more elements than one of its size may have. */
function requireFew(bytes: Uint8Array, shape: Shape): void {
  // So few bytes are within bounds, whatever they hold.
  if (bytes.length <= leastLookedAt) return;
  let left = mostWeight(bytes.length);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw malformed();
  };
  const walk = (end: number, fields: Shape | undefined): void => {
    while (at < end) {
      const tag = varint();
      switch (tag % 8) {
        case 0:
          varint();
          break;
        case 1:
          at += 8;
          break;
        case 2: {
          const next = varint() + at;
          if (next > end) throw malformed();
          const field = fields?.get(Math.floor(tag / 8));
          if (field?.inner !== undefined) left -= weightOfMessage;
          else if (field?.repeated) left--;
          if (left < 0)
            throw new Refusal("message_malformed", `more elements than ${bytes.length} bytes may hold`);
          if (field?.inner !== undefined) walk(next, field.inner);
          at = next;
          break;
        }
        case 5:
          at += 4;
          break;
        default:
          // Groups, which proto3 has none of.
          throw malformed();
      }
    }
    if (at !== end) throw malformed();
  };
  walk(bytes.length, shape);
}
