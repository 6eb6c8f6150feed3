import { Refusal } from "../../core/reasons.ts";
import type { EnrolmentHandlers } from "../../proto/generated/fedcredit/v1/Enrolment.ts";
import type { MembershipHandlers } from "../../proto/generated/fedcredit/v1/Membership.ts";
import { renewAuthority } from "../authority/authority-life.ts";
import * as certificates from "../authority/certificates.ts";
import * as membership from "../authority/membership.ts";
import * as rotation from "../authority/rotation.ts";
import * as users from "../authority/users.ts";
import type { Bank } from "../bank.ts";
import { anyone, auditor, everyone, only, operator } from "./request.ts";
import type { Methods } from "./transport.ts";

export const enrolmentService = (bank: Bank, methods: Methods): EnrolmentHandlers => ({
  Enrol: methods.open(async (request) => ({
    ...(await membership.enrol(bank, request)),
    caPem: bank.authority.certificatePem,
    consortium: bank.config.consortium,
    bankKey: membership.keysInForce(bank).bank.key,
    auditorKey: membership.keysInForce(bank).auditor.key,
  })),
});

export const membershipService = (bank: Bank, methods: Methods): MembershipHandlers => ({
  GetRoster: methods.unary(everyone, async () => {
    const current = await membership.currentRoster(bank);
    if (current === undefined)
      throw new Refusal("not_found", "there is no roster yet", {
        hint: "the bank admits, the auditor countersigns",
      });
    return { note: current.note, entry: await membership.rosterEntry(bank) };
  }),
  GetPendingRoster: methods.unary(only("operator", "auditor"), async () => ({
    note: await membership.pendingRosterNote(bank),
  })),
  CountersignRoster: methods.unary(auditor, async ({ note }) => ({
    note: await membership.countersign(bank, note),
  })),
  CreateToken: methods.unary(operator, (request) => membership.createToken(bank, request)),
  Admit: methods.unary(operator, async ({ enterprises }) => ({
    note: await membership.admit(bank, enterprises),
  })),
  Recover: methods.unary(operator, async (request) => ({ note: await membership.recover(bank, request) })),
  RotateBankKey: methods.unary(operator, async () => ({ note: await rotation.rotateBankKey(bank) })),
  ProposeSuccession: methods.unary(only("auditor", "enterprise"), async ({ line }, caller) => ({
    note: await rotation.proposeSuccession(bank, caller, line),
  })),
  Remove: methods.unary(operator, async ({ enterprise, reason }) => ({
    note: await membership.remove(bank, enterprise, reason),
  })),
  Revoke: methods.unary(operator, async ({ enterprise }) => ({
    serials: await membership.revoke(bank, enterprise),
  })),
  ListEnterprises: methods.unary(operator, async () => ({
    enterprises: (await membership.enterprises(bank)).map((view) => ({
      ...view,
      certificates: [...view.certificates],
    })),
  })),
  RenewCertificate: methods.unary(anyone, async ({ csrPem, rotate }, caller) => ({
    certificatePem: await certificates.renew(bank, caller, csrPem, rotate),
    authorityPem: bank.authority.certificatePem,
  })),
  RetireCertificates: methods.unary(operator, async (_, caller) => ({
    serials: await certificates.retireOthers(bank, caller),
  })),
  RenewAuthority: methods.unary(operator, async () => ({ expiresMillis: await renewAuthority(bank) })),
  AddOperator: methods.unary(operator, async ({ operator, csrPem }) => ({
    certificatePem: await certificates.addOperator(bank, operator, csrPem),
    authorityPem: bank.authority.certificatePem,
  })),
  RemoveOperator: methods.unary(operator, async ({ operator }, caller) => ({
    serials: await certificates.removeOperator(bank, operator, caller),
  })),
  AddUser: methods.unary(operator, async (request) => ({ address: await users.addUser(bank, request) })),
  RemoveUser: methods.unary(operator, async ({ user }) => {
    await users.removeUser(bank, user);
    return {};
  }),
  ChangeRole: methods.unary(operator, async ({ user, role }) => {
    await users.changeRole(bank, user, role);
    return {};
  }),
  ListUsers: methods.unary(operator, async () => ({ users: await users.users(bank) })),
  ListOperators: methods.unary(operator, async () => ({
    operators: [...(await certificates.validCertificates(bank, "operator"))].map(([operator, held]) => ({
      operator,
      certificates: held,
    })),
  })),
});
