type Method<Port, Name extends keyof Port> = Port[Name] extends (...args: infer Args) => infer Result
  ? { readonly args: Args; readonly result: Result }
  : never;

/**
 * Answers the next call of a port's method otherwise: for what another process does at that moment, or a store that fails
 * once. Of two for the same method the later one is asked first.
 * @param answer is given what the call would do, and its arguments
 * @param isMeant leaves calls with other arguments as they are
 */
export function onNext<Port extends object, Name extends keyof Port>(
  port: Port,
  name: Name,
  answer: (
    call: () => Method<Port, Name>['result'],
    ...args: Method<Port, Name>['args']
  ) => Method<Port, Name>['result'],
  isMeant: (...args: Method<Port, Name>['args']) => boolean = () => true,
): void {
  const original = port[name] as (...args: Method<Port, Name>['args']) => Method<Port, Name>['result'];
  let isOver = false;
  Object.assign(port, {
    [name]: (...args: Method<Port, Name>['args']) => {
      if (isOver || !isMeant(...args)) return original(...args);
      isOver = true;
      return answer(() => original(...args), ...args);
    },
  });
}
