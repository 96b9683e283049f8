/** Areas of which it is remembered when they were cleared; of the others, only that it was before a moment. */
const mostAreas = 10_000;

/**
 * When areas were last cleared in this process, counted in clears. Whoever noted `now()` before it read something can
 * tell whether what it read may be kept.
 */
export function createAreaClears() {
  const last = new Map<string, number>();
  let count = 0;
  let floor = 0;
  return {
    now: () => count,
    note(area: string): void {
      count += 1;
      last.delete(area);
      last.set(area, count);
      if (last.size <= mostAreas) return;
      const [oldest, clearedAt] = last.entries().next().value!;
      floor = clearedAt;
      last.delete(oldest);
    },
    noteAll(): void {
      count += 1;
      floor = count;
      last.clear();
    },
    since: (area: string, moment: number): boolean => (last.get(area) ?? floor) > moment,
  };
}
