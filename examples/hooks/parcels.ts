/**
 * Hooks: an audit of every end, and a mail to the customer, which may fail without holding up the parcel.
 *
 * @module
 */
import { machine, type RunView } from "pawl";

/** What a run carries. */
export interface Parcel {
  readonly to: string;
  readonly heavy?: boolean;
}

/** The outside world. */
export interface World {
  /** Writes a line to the audit; the same `id` twice is one line. */
  audit(id: string, line: string): Promise<void>;
  /** Sends a mail; the same `id` twice is one mail. */
  mail(id: string, to: string, text: string): Promise<void>;
}

/**
 * Makes the machine.
 *
 * @param world Where hooks write and send.
 * @returns The machine.
 */
export function parcelMachine(world: World) {
  // A run and its version name one change of it: a hook that runs again has the same id.
  const idOf = ({ runId, version }: RunView) => `${runId}:${version}`;
  const audit = (run: RunView<Parcel>) =>
    world.audit(idOf(run), `${run.key} ${run.runState}${run.reason === undefined ? "" : `: ${run.reason}`}`);
  const mail = (text: string) => (run: RunView<Parcel>) => world.mail(idOf(run), run.data.to, text);
  const mailing = {
    name: "mail",
    parkAfterErrors: 3,
    retry: { initial: "50ms", jitter: false },
  } as const;

  return machine<Parcel>("parcels")
    .step("packed", ["sent"], (run) => run.data.heavy ? run.fail("too heavy") : "sent")
    .step("sent", ["delivered"], () => "delivered", { lag: "10ms" })
    .onComplete(audit, { name: "audit" })
    .onComplete(mail("Your parcel is there."), mailing)
    .onFail(audit, { name: "audit" })
    .onFail(mail("We cannot send your parcel."), mailing)
    .onCancel(audit, { name: "audit" })
    .build();
}
