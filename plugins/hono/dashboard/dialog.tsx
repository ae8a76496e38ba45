/**
 * Dialogs: the browser's own, which keep the focus and give it back.
 *
 * @module
 */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";

/** A dialog that is open for as long as it is rendered. */
export function Dialog(
  { title, children, onClose, isWide = false }: {
    readonly title: string;
    readonly children: ComponentChildren;
    readonly isWide?: boolean;
    onClose(): void;
  },
) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before anything else happens: a key that is pressed now is for the dialog.
  useLayoutEffect(() => {
    const opener = document.activeElement;
    const dialog = ref.current!;
    dialog.showModal();
    return () => {
      dialog.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  // A click on what is behind the dialog is one on the dialog itself.
  const closeOutside = (event: MouseEvent) => {
    if (event.target === ref.current) onClose();
  };
  const cancel = (event: Event) => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog
      ref={ref}
      class={isWide ? "wide" : undefined}
      aria-labelledby={id}
      onCancel={cancel}
      onMouseDown={closeOutside}
    >
      <div class="dialog-body">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" class="quiet icon" aria-label="Close" onClick={onClose}>×</button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** What a form of a dialog does. */
export interface FormDialogProps {
  readonly title: string;
  /** What its button says. */
  readonly verb: string;
  readonly isDangerous?: boolean;
  readonly children?: ComponentChildren;
  onClose(): void;
  /** Does it; the dialog closes when that resolves, and shows what it rejects with. A text is shown in its place. */
  submit(form: FormData): Promise<string | void>;
}

/** A dialog that does something when it is confirmed. */
export function FormDialog({ title, verb, isDangerous, children, onClose, submit }: FormDialogProps) {
  const [said, setSaid] = useState<{ error?: string; result?: string; isBusy?: boolean }>({});
  async function confirm(event: SubmitEvent) {
    event.preventDefault();
    if (said.isBusy) return;
    setSaid({ isBusy: true });
    try {
      const result = await submit(new FormData(event.currentTarget as HTMLFormElement));
      if (result) setSaid({ result });
      else onClose();
    } catch (error) {
      setSaid({ error: (error as Error).message });
    }
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={confirm} class="stack">
        {children}
        {said.error && <p class="note error" role="alert">{said.error}</p>}
        {said.result && <p class="note" role="status">{said.result}</p>}
        <footer>
          <button type="button" onClick={onClose}>{said.result ? "Close" : "Back"}</button>
          <button
            type="submit"
            class={isDangerous ? "danger" : "primary"}
            aria-busy={said.isBusy ?? false}
          >
            {said.isBusy ? "Working …" : verb}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** The value of a field that is no file. */
export function fieldOf(form: FormData, name: string): string {
  return String(form.get(name) ?? "").trim();
}

/**
 * The JSON of a field.
 *
 * @returns `undefined` when it is empty.
 * @throws {Error} That says what is wrong with it.
 */
export function jsonOf(form: FormData, name: string, label: string): unknown {
  const text = fieldOf(form, name);
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${label} is no JSON: ${(error as Error).message}`);
  }
}
