// Marks that show nothing and split words for a search: zero-width space, word joiner, byte order mark, soft hyphen,
// and the controls of writing direction. Zero-width joiners stay: Persian, Indic scripts and emoji need them.
const invisible = /[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/g;
/** Colours and the like of a terminal, in what was written by a program. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they begin with one
const terminal = /\u001b\[[0-?]{0,40}[ -/]?[@-~]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const controls = /[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u0084\u0086-\u009f]/g;

/**
 * Text as stores and searches can bear it: no NUL or other control characters or sequences, no lone surrogates, no invisible marks,
 * lines ended by `\n`, composed characters (NFC).
 */
export function normaliseText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|[\u0085\u2028]/g, '\n')
    .replace(/[\f\u2029]/g, '\n\n')
    .replace(terminal, '')
    .replace(controls, '')
    .replace(invisible, '')
    .normalize('NFC');
}
