/** A place in a pattern: where a character leads from here, and what counts as reached with it. */
interface Place {
  /** Which characters lead on; none from a place that only branches. */
  takes?: (character: string) => boolean;
  to?: Place;
  /** Reached without a character. */
  alsoAt: Place[];
}

/** Tells whether a whole path fits. */
export type Glob = (path: string) => boolean;

const notSlash = (character: string) => character !== '/';
const anything = () => true;

/**
 * Reads a pattern: `*` and `?` within a name, `**` over folders, `{a,b}` for either, everything else as it stands.
 * Patterns come from strangers. Matching follows all ways through one at the same time, as Thompson's construction does
 * (https://swtch.com/~rsc/regexp/regexp1.html), so that it takes at most as many steps as the pattern has characters
 * times those of the path; a regular expression made from `*a*a*a*a` would try them one after the other.
 */
export function parseGlob(pattern: string): Glob {
  const end: Place = { alsoAt: [] };
  const start = placesOf(pattern, 0, pattern.length, end);
  return (path) => {
    let reached = withBranches([start]);
    for (const character of path) {
      reached = withBranches([...reached].flatMap(({ takes, to }) => (takes?.(character) && to ? [to] : [])));
      if (reached.size === 0) return false;
    }
    return reached.has(end);
  };
}

function withBranches(places: readonly Place[]): Set<Place> {
  const all = new Set(places);
  // A set goes on with what is added while it is walked.
  for (const place of all) for (const other of place.alsoAt) all.add(other);
  return all;
}

/** The places of a part of the pattern, from its end to its beginning: each knows what follows it. */
function placesOf(pattern: string, from: number, until: number, following: Place): Place {
  const parts = partsOf(pattern, from, until);
  let next = following;
  for (const part of parts.reverse()) next = placeOf(pattern, part, next);
  return next;
}

type Part =
  | { readonly kind: 'folders' | 'rest' | 'name' | 'one' }
  | { readonly kind: 'literal'; readonly character: string }
  | { readonly kind: 'either'; readonly choices: readonly (readonly [from: number, until: number])[] };

function placeOf(pattern: string, part: Part, next: Place): Place {
  switch (part.kind) {
    case 'literal':
      return { takes: (character) => character === part.character, to: next, alsoAt: [] };
    case 'one':
      return { takes: notSlash, to: next, alsoAt: [] };
    case 'name':
      return repeated(notSlash, next);
    case 'rest':
      return repeated(anything, next);
    case 'folders':
      // None, or some that end in a slash.
      return { alsoAt: [next, repeated(anything, { takes: (character) => character === '/', to: next, alsoAt: [] })] };
    case 'either':
      return { alsoAt: part.choices.map(([from, until]) => placesOf(pattern, from, until, next)) };
  }
}

function repeated(takes: (character: string) => boolean, next: Place): Place {
  const place: Place = { takes, alsoAt: [next] };
  place.to = place;
  return place;
}

function partsOf(pattern: string, from: number, until: number): Part[] {
  const parts: Part[] = [];
  for (let at = from; at < until; ) {
    const character = String.fromCodePoint(pattern.codePointAt(at)!);
    const choices = character === '{' ? choicesAt(pattern, at, until) : undefined;
    const beginsName = at === 0 || '/{,'.includes(pattern[at - 1]!);
    if (choices) {
      parts.push({ kind: 'either', choices });
      at = choices.at(-1)![1] + 1;
    } else if (beginsName && pattern.startsWith('**/', at)) {
      parts.push({ kind: 'folders' });
      at += 3;
    } else if (beginsName && pattern.startsWith('**', at) && at + 2 === until) {
      parts.push({ kind: 'rest' });
      at += 2;
    } else {
      parts.push(
        character === '*' ? { kind: 'name' } : character === '?' ? { kind: 'one' } : { kind: 'literal', character },
      );
      at += character.length;
    }
  }
  return parts;
}

/** Where the choices of a brace stand; undefined where it does not close, or offers none. */
function choicesAt(pattern: string, open: number, until: number): [number, number][] | undefined {
  const choices: [number, number][] = [];
  let depth = 0;
  let from = open + 1;
  for (let at = open; at < until; at += 1) {
    if (pattern[at] === '{') depth += 1;
    else if (pattern[at] === ',' && depth === 1) {
      choices.push([from, at]);
      from = at + 1;
    } else if (pattern[at] === '}') {
      depth -= 1;
      if (depth > 0) continue;
      choices.push([from, at]);
      return choices.length > 1 ? choices : undefined;
    }
  }
  return undefined;
}
