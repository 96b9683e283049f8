/** Held back at most, waiting for a bracket to close. */
const maxHeld = 2000;

const image = /!\[[^[\]\n]{0,500}\]\([^)\n]{0,2000}\)/g;
const link = /\[([^[\]\n]{0,500})\]\([^)\n]{0,2000}\)/g;
const definition = /^ {0,3}\[[^\]\n]{1,500}\]:[^\n]{0,2000}$/gm;
const tag =
  /<\/?(?:a|audio|base|embed|form|iframe|image|img|input|link|math|meta|object|picture|script|source|style|svg|video)\b[^>]{0,2000}>/gi;
/** Of any element: `style` and `background` of the most harmless one load what they name. */
const tagWithAttribute = /<[a-z][^<>=]{0,200}=[^<>]{0,2000}>/gi;
/** Also within a word, since `_` begins a link for some; without a scheme, the page's own counts. */
const address = /(?:(?:https?|ftp):\/\/|(?<![a-z\d])www\.|(?<![\w:/])\/\/(?=[\w-]{1,63}\.\w))[^\s<>()[\]]{1,2000}/gi;
const markers = /([ \t]{0,4})((?:[[【] ?\d{1,4}(?: ?[,;] ?\d{1,4}){0,20} ?[\]】]){1,20})/g;

/** A link's text; a number in a link is a marker that a model made pretty. */
const linkLabel = (_link: string, label: string) => (/^\d{1,4}$/.test(label) ? `[${label}]` : label);

export interface AnswerFilterOptions {
  /** Passages that were shown to the model: markers `[1]` to `[sourceCount]` are real, others are removed. */
  readonly sourceCount: number;
  /** Whether an address stands in a source; others are removed. */
  readonly isSourceAddress: (address: string) => boolean;
}

/**
 * What may be shown of a model's text: no images, no links, no active HTML and no address that is not in a source
 * (each could carry what was read to someone else), and no marker that cites nothing.
 */
export function cleanAnswer(text: string, options: AnswerFilterOptions): string {
  const { sourceCount, isSourceAddress } = options;
  let current = text;
  // Removing one construct can form another; a few rounds take what is nested honestly.
  for (let round = 0; round < 4; round += 1) {
    const next = current.replace(image, '').replace(link, linkLabel).replace(tag, '').replace(tagWithAttribute, '');
    if (next === current) break;
    current = next;
  }
  return (
    current
      .replace(definition, '')
      // Neither a target nor a definition, also one in a quote, in a list or over two lines.
      .replace(/\](?=[(:])/g, '] ')
      .replace(address, (found) => (isSourceAddress(found.replace(/[.,;:!?]+$/, '')) ? found : ''))
      .replace(markers, (_found, space: string, run: string) => {
        const real = [...run.matchAll(/\d+/g)].map(Number).filter((number) => number >= 1 && number <= sourceCount);
        return real.length > 0 ? space + real.map((number) => `[${number}]`).join('') : '';
      })
  );
}

/** Where the first bracket that is still open stands, or undefined where a cut at the end parts no construct. */
function openConstruct(text: string): number | undefined {
  const open: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '[' || character === '【') open.push(at);
    else if (character === ']' || character === '】') open.pop();
  }
  const starts = [
    open[0],
    /\[[^\n]{0,500}\]\([^)\n]{0,2000}$/.exec(text)?.index,
    /<[a-z/!][^>]{0,2000}$/i.exec(text)?.index,
  ];
  const found = starts.filter((start) => start !== undefined);
  return found.length > 0 ? Math.min(...found) : undefined;
}

/** Where a text can be parted: no construct goes over it. Languages without spaces have their full stops. */
const gap = /[\s。！？]/;

/** The length of what can be shown now: up to a gap outside of all brackets, white space kept back. */
function showableLength(text: string): number {
  let end = text.trimEnd().length;
  for (;;) {
    while (end > 0 && !gap.test(text[end - 1] as string)) end -= 1;
    const prefix = text.slice(0, end).trimEnd();
    const open = openConstruct(prefix);
    if (open === undefined) return prefix.length;
    end = open;
  }
}

/** `cleanAnswer` for a text that comes in pieces: pieces go out as soon as nothing to come can change them. */
export function createAnswerFilter(options: AnswerFilterOptions): { push(text: string): string; end(): string } {
  let held = '';
  let begun = false;
  const show = (text: string) => {
    const clean = begun ? cleanAnswer(text, options) : cleanAnswer(text, options).trimStart();
    if (clean !== '') begun = true;
    return clean;
  };
  return {
    push(text) {
      held += text;
      let length = showableLength(held);
      if (length === 0 && held.length > maxHeld) {
        // A bracket that never closes: without its brackets the text is only text.
        held = held.replace(/[[\]<>【】]/g, '');
        // And what has no gap gets one: else it would be gone through anew with every piece, without end.
        if (showableLength(held) === 0) held = `${held.slice(0, maxHeld)} ${held.slice(maxHeld)}`;
        length = showableLength(held);
      }
      const ready = held.slice(0, length);
      held = held.slice(length);
      return show(ready);
    },
    end() {
      const rest = show(held.trimEnd());
      held = '';
      return rest;
    },
  };
}
