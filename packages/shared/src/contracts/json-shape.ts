/** Deeper than anything that the contracts describe; what recurses over a value has stack for more. */
export const maxJsonDepth = 64;
/** More than metadata of any use has. Each member that is wrong costs a fault of its own to say so. */
export const maxJsonMembers = 2000;

const code = (character: string) => character.charCodeAt(0);
const quote = code('"');
const backslash = code('\\');
const comma = code(',');
const openObject = code('{');
const closeObject = code('}');
const openList = code('[');
const closeList = code(']');

/**
 * What is wrong with the shape of a JSON text, before it is parsed: a few megabytes of brackets keep a parser busy for
 * seconds, and overflow the stack of whatever writes the value again. Lists have their limits in the schemas.
 * @param json UTF-8 bytes, or text; need not be well formed
 */
export function jsonShapeFault(json: Uint8Array | string): string | undefined {
  const at = typeof json === 'string' ? (index: number) => json.charCodeAt(index) : (index: number) => json[index];
  /** Members so far of each open object; -1 for a list. */
  const open: number[] = [];
  for (let index = 0; index < json.length; index += 1) {
    switch (at(index)) {
      case quote:
        for (index += 1; index < json.length && at(index) !== quote; index += 1)
          if (at(index) === backslash) index += 1;
        break;
      case openObject:
      case openList:
        if (open.length === maxJsonDepth) return `is nested deeper than ${maxJsonDepth} levels`;
        open.push(at(index) === openObject ? 1 : -1);
        break;
      case closeObject:
      case closeList:
        open.pop();
        break;
      case comma: {
        const members = open.at(-1) ?? -1;
        if (members === maxJsonMembers) return `has an object with more than ${maxJsonMembers} members`;
        if (members > 0) open[open.length - 1] = members + 1;
        break;
      }
    }
  }
  return undefined;
}
