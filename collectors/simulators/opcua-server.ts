import { join } from "node:path";
import {
  type AddressSpace,
  DataType,
  MessageSecurityMode,
  nodesets,
  OPCUACertificateManager,
  OPCUAServer,
  SecurityPolicy,
  type StatusCode,
  StatusCodes,
  type UAVariable,
} from "node-opcua";

export interface SimulatedOpcuaOptions {
  /** Folder for the server's certificate and key; made when absent. Client and user certificates are accepted. */
  readonly pki: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Variables, each a double with history: `ns=1;s=NAME`. */
  readonly variables: readonly string[];
  /** Files of node sets loaded after the standard's own, each after those it needs. */
  readonly nodesets?: readonly string[];
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Accepted users and passwords; anonymous sessions are refused when given. */
  readonly users?: Readonly<Record<string, string>>;
}

export interface SimulatedOpcua {
  readonly port: number;
  readonly endpoint: string;
  /** PEM file of the server's certificate, for a client's trust list. */
  readonly certificateFile: string;
  /** Sets a value; without `time` the source time is now, and later than the one before. */
  set(variable: string, value: number, status?: StatusCode, time?: Date): void;
  close(): Promise<void>;
}

/** An OPC UA server on the loopback interface with the three recommended security policies. */
export async function startOpcuaServer(options: SimulatedOpcuaOptions): Promise<SimulatedOpcua> {
  const certificates = new OPCUACertificateManager({
    rootFolder: options.pki,
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  });
  await certificates.initialize();
  const userCertificates = new OPCUACertificateManager({
    rootFolder: join(options.pki, "users"),
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  });
  await userCertificates.initialize();
  const { now, users } = options;
  const server = new OPCUAServer({
    port: options.port ?? 0,
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    serverCertificateManager: certificates,
    nodeset_filename: [nodesets.standard, ...(options.nodesets ?? [])],
    securityModes: [MessageSecurityMode.None, MessageSecurityMode.SignAndEncrypt],
    securityPolicies: [
      SecurityPolicy.None,
      SecurityPolicy.Basic256Sha256,
      SecurityPolicy.Aes128_Sha256_RsaOaep,
      SecurityPolicy.Aes256_Sha256_RsaPss,
    ],
    userCertificateManager: userCertificates,
    allowAnonymous: users === undefined,
    userManager: { isValidUser: (user: string, password: string) => users?.[user] === password },
    serverCapabilities: { minSupportedSampleRate: 0 },
    serverInfo: { applicationUri: "urn:simulator:opcua" },
  });
  await server.initialize();
  const variables = addVariables(server.engine.addressSpace!, options.variables);
  await server.start();
  const port = server.endpoints[0]!.port;
  const lastTime = new Map<string, number>();
  return {
    port,
    endpoint: `opc.tcp://127.0.0.1:${port}`,
    certificateFile: server.certificateFile,
    set(name, value, status = StatusCodes.Good, time) {
      const variable = variables.get(name);
      if (variable === undefined) throw new RangeError(`no variable ${name}`);
      const sourceTimestamp = time ?? new Date(Math.max(now(), (lastTime.get(name) ?? 0) + 1));
      lastTime.set(name, sourceTimestamp.getTime());
      variable.setValueFromSource({ dataType: DataType.Double, value }, status, sourceTimestamp);
    },
    close: () => server.shutdown(0),
  };
}

function addVariables(space: AddressSpace, names: readonly string[]): Map<string, UAVariable> {
  const folder = space.getOwnNamespace().addFolder(space.rootFolder.objects, { browseName: "Plant" });
  return new Map(
    names.map((name) => {
      const variable = space.getOwnNamespace().addVariable({
        componentOf: folder,
        browseName: name,
        nodeId: `s=${name}`,
        dataType: DataType.Double,
        minimumSamplingInterval: 0,
      });
      space.installHistoricalDataNode(variable, { maxOnlineValues: 10_000 });
      return [name, variable];
    }),
  );
}
