/**
 * As `make`, which is asked once for what it has given lately.
 * @param most how many values are kept; then it begins anew, which costs one call for each that is still in use
 */
export function remember<Value>(make: (name: string) => Value, most: number): (name: string) => Value {
  const known = new Map<string, Value>();
  return (name) => {
    const existing = known.get(name);
    if (existing !== undefined) return existing;
    if (known.size >= most) known.clear();
    const value = make(name);
    known.set(name, value);
    return value;
  };
}
