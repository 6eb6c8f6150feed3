import type { OpcuaInput } from "../opcua/config.ts";
import { deviceOf, type ImportNotes, type Section, unitFor } from "./section.ts";

type NodeInput = OpcuaInput["groups"][number]["nodes"][number];

/** Policies that OPC UA still recommends. @see OPC 10000-7, security policies */
const policies: Record<string, "Basic256Sha256" | "Aes128_Sha256_RsaOaep" | "Aes256_Sha256_RsaPss"> = {
  auto: "Basic256Sha256",
  Basic256Sha256: "Basic256Sha256",
  Aes128_Sha256_RsaOaep: "Aes128_Sha256_RsaOaep",
  Aes256_Sha256_RsaPss: "Aes256_Sha256_RsaPss",
};

/**
 * One `[[inputs.opcua]]` section. Where Telegraf polls, we subscribe: `interval` becomes the sampling interval.
 *
 * @returns undefined, with a note, where its security cannot be had.
 */
export function importOpcua(section: Section, interval: string, notes: ImportNotes): OpcuaInput | undefined {
  const security = securityOf(section, notes);
  if (security === undefined) return undefined;
  const identity = identityOf(section, notes);
  if (identity === undefined) return undefined;
  if (security === "none" && identity !== "anonymous") {
    notes.note(`${section.place} would send its credentials in the clear and is left out`);
    return undefined;
  }
  const name = section.text("name") ?? "opcua";
  const every = section.text("interval") ?? interval;
  const own = section.texts("tags");
  const groups = new Map<string, NodeInput[]>();
  const take = (parent: Section, device: string) => {
    const shared = new Map([...own, ...parent.texts("default_tags")]);
    for (const node of parent.sections("nodes")) {
      const tags = new Map([...shared, ...node.texts("default_tags")]);
      const found = nodeOf(node, parent, notes);
      const key = deviceOf([device], tags);
      const nodes = groups.get(key) ?? [];
      if (found === undefined) continue;
      if (nodes.some(({ metric }) => metric === found.metric))
        notes.note(`${found.metric} of ${key} is named twice; ${found.node} is left out`);
      else groups.set(key, [...nodes, found]);
    }
  };
  take(section, name);
  for (const group of section.sections("group")) take(group, group.text("name") ?? name);
  if (groups.size === 0) {
    notes.note(`${section.place} names no node and is left out`);
    return undefined;
  }
  return {
    name,
    endpoint: section.text("endpoint") ?? "opc.tcp://localhost:4840",
    security,
    identity,
    publishing: every,
    keepAlive: every,
    timeout: section.text("connect_timeout") ?? "10s",
    groups: [...groups].map(([device, nodes]) => ({ device, nodes, sampling: every })),
  };
}

function securityOf(section: Section, notes: ImportNotes): OpcuaInput["security"] | undefined {
  const policy = section.text("security_policy") ?? "auto";
  const mode = section.text("security_mode") ?? "auto";
  if (policy === "None" || mode === "None") return "none";
  const known = policies[policy];
  if (known === undefined || !["auto", "Sign", "SignAndEncrypt"].includes(mode)) {
    notes.note(`${section.place} uses ${policy} ${mode}, which is no longer secure, and is left out`);
    return undefined;
  }
  if (policy === "auto" || mode === "auto")
    notes.note(`${section.place} let the server choose its security: it stands as ${known} SignAndEncrypt`);
  const [certificate, key] = [section.text("certificate"), section.text("private_key")];
  if (certificate !== undefined && certificate !== "")
    notes.note(
      `${section.place}: put ${certificate} and ${key ?? "its key"} under pki/own, or let new ones be made`,
    );
  return { mode: mode === "Sign" ? "Sign" : "SignAndEncrypt", policy: known, pki: "./pki" };
}

function identityOf(section: Section, notes: ImportNotes): OpcuaInput["identity"] | undefined {
  switch (section.text("auth_method") ?? "Anonymous") {
    case "Anonymous":
      return "anonymous";
    case "UserName":
      return { user: section.text("username") ?? "", password: { env: passwordVariable(section, notes) } };
    case "Certificate": {
      const certificate = section.text("certificate");
      const key = section.text("private_key");
      if (certificate !== undefined && key !== undefined) return { certificate, key };
    }
  }
  notes.note(`${section.place} has an auth_method we do not know and is left out`);
  return undefined;
}

/** A password is never copied: a variable that Telegraf already reads is kept, a literal one must move. */
function passwordVariable(section: Section, notes: ImportNotes): string {
  const named = /^\$\{?(\w+)\}?$/.exec(section.text("password") ?? "");
  if (named !== null) return named[1]!;
  const variable = "OPCUA_PASSWORD";
  notes.note(`${section.place}: the password was not copied; set ${variable}, or name a file`);
  return variable;
}

function nodeOf(node: Section, parent: Section, notes: ImportNotes): NodeInput | undefined {
  const identifier = node.text("identifier");
  const metric = node.text("name");
  if (identifier === undefined || metric === undefined) {
    notes.note(`${node.place} has no name or no identifier and is left out`);
    node.leave();
    return undefined;
  }
  const namespace = node.text("namespace") ?? parent.text("namespace") ?? "0";
  const kind = node.text("identifier_type") ?? parent.text("identifier_type") ?? "s";
  return { node: `ns=${namespace};${kind}=${identifier}`, metric, unit: unitFor(metric, notes) };
}
