/** The services of proto/ on top of the coordinator's parts. What each caller may do is a method's first argument. */
import type * as grpc from "@grpc/grpc-js";
import software from "../../package.json" with { type: "json" };
import type { HealthHandlers } from "../../proto/generated/fedcredit/v1/Health.ts";
import type { RoundsHandlers } from "../../proto/generated/fedcredit/v1/Rounds.ts";
import {
  Blobs,
  Enrolment,
  Health,
  Log,
  Membership,
  protocolVersion,
  Registry,
  Rounds,
  Scores,
  Studies,
  Warnings,
} from "../../proto/wire.ts";
import type { Bank } from "../bank.ts";
import type { Participants } from "../rounds/participants.ts";
import { blobsService } from "./blobs-service.ts";
import { logService } from "./log-service.ts";
import { enrolmentService, membershipService } from "./membership-service.ts";
import { registryService } from "./registry-service.ts";
import { anyone, enterprise } from "./request.ts";
import { scoresService } from "./scores-service.ts";
import { studiesService } from "./studies-service.ts";
import { type HangUp, Methods } from "./transport.ts";
import { warningsService } from "./warnings-service.ts";

/** Served without client certificates, on its own port. */
export function registerEnrolment(server: grpc.Server, bank: Bank, hangUp: HangUp): void {
  server.addService(Enrolment.service, enrolmentService(bank, new Methods(bank, hangUp)));
}

export function registerServices(
  server: grpc.Server,
  bank: Bank,
  participants: Participants,
  isDraining: () => boolean,
  hangUp: HangUp,
): void {
  const methods = new Methods(bank, hangUp);
  const health: HealthHandlers = {
    Check: methods.unary(anyone, async () => ({
      protocolVersion,
      softwareVersion: software.version,
      timeMillis: bank.clock.now(),
      draining: isDraining(),
    })),
  };
  const rounds: RoundsHandlers = {
    Participate: methods.duplex(enterprise, ({ id }, call) => participants.serve(id, call)),
  };
  server.addService(Health.service, health);
  server.addService(Membership.service, membershipService(bank, methods));
  server.addService(Studies.service, studiesService(bank, methods, participants));
  server.addService(Scores.service, scoresService(bank, methods));
  server.addService(Registry.service, registryService(bank, methods));
  server.addService(Blobs.service, blobsService(bank, methods));
  server.addService(Rounds.service, rounds);
  server.addService(Log.service, logService(bank, methods));
  server.addService(Warnings.service, warningsService(bank, methods));
}
