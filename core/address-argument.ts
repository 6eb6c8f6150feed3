import { InvalidArgumentError } from "commander";
import { addressSchema } from "./address.ts";

/** Reads `<host:port>` of a command line. @throws InvalidArgumentError */
export function addressArgument(text: string): string {
  if (!addressSchema.safeParse(text).success)
    throw new InvalidArgumentError("Give host:port, the port up to 65535");
  return text;
}
