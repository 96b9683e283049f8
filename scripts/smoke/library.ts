/** The least that shows a service at work: three documents of three types, and what must be found in them. */
export const library = [
  { id: 'lighthouse', mediaType: 'text/plain', text: 'The lighthouse of Skerry burns whale oil until the year 1871.' },
  { id: 'ferry', mediaType: 'text/markdown', text: '# Ferry\n\nThe ferry to Skerry leaves at a quarter past nine.' },
  { id: 'gannets', mediaType: 'text/html', text: '<h1>Gannets</h1><p>Forty thousand gannets nest on the cliff.</p>' },
] as const;

export const question = {
  text: 'When does the ferry leave for Skerry?',
  document: 'ferry',
  words: 'quarter past nine',
};
