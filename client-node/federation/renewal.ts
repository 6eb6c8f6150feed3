import { endOf, followsAuthority, isRenewalDue } from "../../privacy/certificate-life.ts";
import { certificateRequest } from "../../privacy/certificate-request.ts";
import { Membership, refusalOf } from "../../proto/wire.ts";
import { checkCertificate, type NodeCredentials } from "./credentials.ts";
import type { FederationEvent } from "./events.ts";
import type { Transport } from "./transport.ts";

export interface CertificateOptions {
  readonly credentials: NodeCredentials;
  readonly transport: Pick<Transport, "call" | "useCertificate">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Keeps the next certificate and the authority's, durably, before they are used. @throws Refusal where it cannot */
  readonly keep: (certificate: string, ca: string) => void;
  readonly emit: (event: FederationEvent) => void;
}

/** The node's certificate, renewed well before its end, by the one that is still valid. */
export class CurrentCertificate {
  readonly #options: CertificateOptions;
  #certificate: string;

  constructor(options: CertificateOptions) {
    this.#options = options;
    this.#certificate = options.credentials.certificate;
  }

  /** @throws Refusal certificate_invalid once it has ended: then only a new token helps. */
  check(): void {
    const { credentials, now } = this.#options;
    checkCertificate({ ...credentials, certificate: this.#certificate }, credentials, now());
  }

  /**
   * Asks for the next one in the last third of this one's life. What fails is told, and tried again at the next call:
   * until its end the certificate at hand serves.
   */
  async renewIfDue(): Promise<void> {
    const { credentials, emit, keep, now, transport } = this.#options;
    if (!isRenewalDue(this.#certificate, now())) return;
    try {
      const csrPem = await certificateRequest(credentials.tlsKey, credentials.enterprise);
      const reply = await transport.call(Membership.service.RenewCertificate, { csrPem });
      const certificate = reply.certificatePem;
      // The bank may answer anything: what is not this node's, for its key and under its authority, is not taken. The
      // authority's own certificate may be another one for the key that was pinned.
      const ca = followsAuthority(credentials.ca, reply.authorityPem) ? reply.authorityPem : credentials.ca;
      checkCertificate({ ...credentials, certificate, ca }, credentials, now());
      keep(certificate, ca);
      credentials.ca = ca;
      this.#certificate = certificate;
      transport.useCertificate(certificate);
      emit({ type: "certificate", expires: endOf(certificate) });
    } catch (error) {
      const { reason, message } = refusalOf(error);
      emit({ type: "certificate", expires: endOf(this.#certificate), reason, message });
    }
  }
}
