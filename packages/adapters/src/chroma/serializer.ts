/** Runs the tasks of one name one after the other, in order; tasks of different names run at the same time. */
export function createSerializer(): <Result>(name: string, task: () => Promise<Result>) => Promise<Result> {
  const last = new Map<string, Promise<unknown>>();
  return (name, task) => {
    // A task that failed has told its own caller; the next one starts all the same.
    const result = (last.get(name) ?? Promise.resolve()).then(task, task);
    last.set(name, result);
    const forget = () => {
      if (last.get(name) === result) last.delete(name);
    };
    result.then(forget, forget);
    return result;
  };
}
