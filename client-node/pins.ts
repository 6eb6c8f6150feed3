/** Everything a node holds after enrolment. Secrets: nothing of it is logged or sent. */
export interface NodeCredentials {
  readonly enterprise: string;
  readonly consortium: string;
  /** Private key of the TLS client certificate, PKCS#8 PEM. */
  readonly tlsKey: string;
  readonly certificate: string;
  /** The consortium's CA, PEM: the only root the node trusts. */
  readonly ca: string;
  /** Ed25519 identity, `PRIVATE+KEY+…`. */
  readonly identityKey: string;
  /** X25519 private key, 32 bytes. */
  readonly hpkeKey: Uint8Array;
  /** Signed-note verifier keys, pinned at enrolment. */
  readonly bankKey: string;
  readonly auditorKey: string;
}
