/** The first value of an attribute of such elements in a part of a Word document. Names without their `w:`. */
export function attributeIn(xml: string, element: string, name: string): string | undefined {
  return new RegExp(`<w:${element}\\s(?:[^>]{0,500}\\s)?w:${name}="([^"]{0,300})"`).exec(xml)?.[1];
}

/** The elements of a name that do not stand in one another, from their start tags to before their end tags. */
export function elementsIn(xml: string, name: string): string[] {
  return xml
    .split(`</w:${name}>`)
    .map((part) => part.slice(Math.max(0, part.lastIndexOf(`<w:${name} `))))
    .filter((part) => part.startsWith(`<w:${name} `));
}
