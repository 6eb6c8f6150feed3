/** What one peer may take of the coordinator: every such number, in one place (docs/operating.md has the table). */
export const quotas = {
  /** Seconds for a connection's first call, for a call's request once it is opened, between pieces of an upload. */
  silentSeconds: 30,
  /** Seconds in which a download is read on. */
  unreadSeconds: 60,
  /** Seconds for a connection without calls. */
  idleSeconds: 600,
  /** Connections open at once with the same client certificate. */
  connectionsPerCertificate: 32,
  /** Connections open at once from one address that have shown no certificate: all of the enrolment port's. */
  connectionsPerAddress: 256,
  /** Calls open at once on one connection. */
  callsPerConnection: 256,
  /** Consents an hour of one member to one study. Taking one back is always heard. */
  consentsPerHour: 20,
  /** Score statements an hour of one member, refused ones counted. */
  statementsPerHour: 30,
  /** Reports of warnings an hour of one member. */
  warningReportsPerHour: 30,
  /** Proposals of a next key an hour of one holder: each makes another roster wait for the auditor. */
  successionsPerHour: 5,
} as const;
