type Write = () => Promise<boolean>;

/**
 * Lets the writers of one process race for a key with two requests and not with one each: servers settle such a race
 * slowly (SeaweedFS in seconds, Amazon by 409 and another try), and a caller who repeats a request makes one of fifty.
 * While a write is under way, whoever comes waits for it; then one of those tries, and speaks for all of them, since all
 * had come before it began.
 * @returns runs a write, and answers false to those who were spoken for
 */
export function createFirstWriter(): (key: string, write: Write) => Promise<boolean> {
  const races = new Map<string, { readonly running: Promise<boolean>; next?: Promise<boolean> }>();

  function start(key: string, write: Write): Promise<boolean> {
    const race = { running: write() };
    races.set(key, race);
    // Before anybody else hears of its end, and so of no race but this one.
    const end = () => void races.delete(key);
    race.running.then(end, end);
    return race.running;
  }

  return async (key, write) => {
    const race = races.get(key);
    if (!race) return start(key, write);
    if (race.next) {
      await race.next;
      return false;
    }
    const begin = () => start(key, write);
    race.next = race.running.then(begin, begin);
    return race.next;
  };
}
