import * as grpc from "@grpc/grpc-js";
import { Refusal } from "../../core/reasons.ts";
import { statusOf } from "../../proto/wire.ts";
import type { Clock } from "../bank.ts";
import { quotas } from "./quotas.ts";

/** Ends calls that were opened and say nothing: a request or a hello that never comes, an upload left half open. */
export const endSilentCalls =
  (clock: Clock): grpc.ServerInterceptor =>
  ({ requestStream, responseStream }, call) => {
    const isUpload = requestStream && !responseStream;
    let callOff = (): void => {};
    const wait = (): void => {
      callOff();
      callOff = clock.after(quotas.silentSeconds, () =>
        call.sendStatus(statusOf(new Refusal("deadline", `nothing was said for ${quotas.silentSeconds} s`))),
      );
    };
    const listener = new grpc.ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        wait();
        next(metadata);
      })
      .withOnReceiveMessage((message, next) => {
        if (isUpload) wait();
        else callOff();
        next(message);
      })
      .withOnReceiveHalfClose((next) => {
        callOff();
        next();
      })
      .withOnCancel(() => callOff())
      .build();
    return new grpc.ServerInterceptingCall(call, {
      start: (next) => next(listener),
      sendStatus: (status, next) => {
        callOff();
        next(status);
      },
    });
  };
