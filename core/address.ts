import { isIP } from "node:net";
import { z } from "zod";

const form = /^(\[[0-9a-f:]+\]|[^:\s/]+):\d{1,5}$/i;

/** @returns host and port of `host:port`; an IPv6 host without its brackets. */
export function splitAddress(hostPort: string): { host: string; port: number } {
  const at = hostPort.lastIndexOf(":");
  return { host: hostPort.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(hostPort.slice(at + 1)) };
}

/** Only this machine can reach such an address. @param host - an IPv6 one with its brackets, as URLs have it, or without */
export const isLoopback = (host: string): boolean =>
  ["localhost", "::1", "[::1]"].includes(host) || (isIP(host) === 4 && host.startsWith("127."));

/** @returns `host:port` by which this machine reaches what listens there; an IPv6 host in brackets. */
export function reachableAddress({ host, port }: { readonly host: string; readonly port: number }): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

/** `host:port`, an IPv6 host in brackets. */
export const addressSchema = z
  .string()
  .regex(form, "host:port")
  .refine((text) => splitAddress(text).port <= 65_535, "the port is at most 65535");
