/** Passes on at most one call in `everyMs`: an outage makes one error per command. */
export function throttled<Argument>(act: (argument: Argument) => void, everyMs: number): (argument: Argument) => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  return (argument) => {
    const now = performance.now();
    if (now - lastAt < everyMs) return;
    lastAt = now;
    act(argument);
  };
}
