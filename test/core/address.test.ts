import test from "ava";
import { isLoopback } from "../../core/address.ts";

test("this machine's own names and addresses are known, an IPv6 one with its brackets, too", (t) => {
  for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"]) t.true(isLoopback(host), host);
  for (const host of [
    "bank.example",
    "127.0.0.1.bank.example",
    "0.0.0.0",
    "::",
    "[2001:db8::1]",
    "[::1].bank.example",
  ])
    t.false(isLoopback(host), host);
});
