/**
 * The machine of the tabs under test: three steps, and one way to each thing that a run may wait for.
 *
 * @module
 */
import { machine } from "../../../mod.ts";

/** What a run carries. */
export interface Form {
  /** Which status was done in which tab, in order. */
  seen: string[];
  /** How long a form at `resting` rests. */
  readonly restMs?: number;
  /** How late its timer was. */
  lateMs?: number;
}

/** How a tab does its steps. */
export interface FormOptions {
  /** What a step takes. */
  readonly stepMs?: number;
  /** Another graph under the same name: it has a status more, and its forms are signed in two steps. */
  readonly signsTwice?: boolean;
  /** Called with each attempt, before it has an answer. */
  readonly effect?: (
    attempt: { readonly runId: string; readonly status: string; readonly stepId: string },
  ) => Promise<void>;
}

/** What of a run a handler here looks at. */
interface Attempt {
  readonly runId: string;
  readonly status: string;
  readonly stepId: string;
  readonly data: Form;
}

const quick = { retry: { initial: 50, max: 500 } };

/**
 * @param tab Its name, noted in the data of what it does.
 * @param options How it does its steps.
 * @returns The machine.
 */
export function forms(tab: string, { stepMs = 0, signsTwice = false, effect }: FormOptions) {
  const note = (run: Attempt) => void run.data.seen.push(`${run.status} in ${tab}`);
  const step = <To extends string>(to: To) => async (run: Attempt): Promise<To> => {
    const { runId, status, stepId } = run;
    await effect?.({ runId, status, stepId });
    await new Promise((resolve) => setTimeout(resolve, stepMs));
    note(run);
    return to;
  };
  const send = async (run: Attempt): Promise<"filed"> => {
    const response = await fetch("/ping");
    if (!response.ok) throw new Error(`the server says ${response.status}`);
    note(run);
    return "filed";
  };
  const begun = machine<Form>("forms", { steps: quick })
    .step("filled", ["checked"], step("checked"))
    .step("checked", ["signed"], step("signed"))
    .callback("asked", ["filed"], (run) => {
      note(run);
      return "filed";
    })
    .timeout("resting", ["filed"], ({ data }, now) => new Date(now.getTime() + data.restMs!), (run) => {
      note(run);
      run.data.lateMs = Date.now() - run.dueAt.getTime();
      return "filed";
    })
    .step("failing", ["filed"], (run) => {
      if (run.attempt === 1) throw new Error("once");
      note(run);
      return "filed";
    }, { retry: { initial: "30s", max: "30s", jitter: false } })
    .step("sending", ["filed"], send, { needs: "network", pauseAfterErrors: 2 });
  if (!signsTwice) return begun.step("signed", ["filed"], step("filed")).build();
  return begun.step("signed", ["countersigned"], step("countersigned"))
    .step("countersigned", ["filed"], step("filed"))
    .build();
}
