/** What a page does that its open things must hear of. */
export interface PageLife {
  /** It is left: closed, or put into the back/forward cache, where nothing of it may stay open. */
  leave(): void;
  /** It is shown again. */
  comeBack(): void;
}

/**
 * Listens to a page's life; workers have none.
 *
 * @returns Ends it.
 */
export function followPage(life: PageLife): () => void {
  const scope = globalThis as Partial<Pick<EventTarget, "addEventListener" | "removeEventListener">>;
  let isLeft = false;
  const onHide = () => {
    isLeft = true;
    life.leave();
  };
  const onShow = () => {
    // A page that is shown for the first time was never left.
    if (isLeft) life.comeBack();
    isLeft = false;
  };
  scope.addEventListener?.("pagehide", onHide);
  scope.addEventListener?.("pageshow", onShow);
  return () => {
    scope.removeEventListener?.("pagehide", onHide);
    scope.removeEventListener?.("pageshow", onShow);
  };
}
