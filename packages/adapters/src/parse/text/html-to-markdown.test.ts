import { expect, test } from '@jest/globals';
import { htmlToMarkdown } from './html-to-markdown.ts';

const main = (html: string) => htmlToMarkdown(html, { mainContentOnly: true });
const all = (html: string) => htmlToMarkdown(html, { mainContentOnly: false });

test('what stands around the content of a page goes where only that is wanted, and stays elsewhere', () => {
  const html = `<nav>Menu</nav><div role="search">Find</div><p>The tide.</p><div role="note">Mind it.</div>
    <aside>Advert</aside><footer>Imprint</footer>`;
  expect(main(html)).toBe('The tide.\n\nMind it.');
  expect(all(html)).toBe('Menu\n\nFind\n\nThe tide.\n\nMind it.\n\nAdvert\n\nImprint');
});

test('what nobody sees is left out, what is only styled is not', () => {
  const html = `<p hidden>one</p><p style="display: none">two</p><p style="visibility:hidden">three</p>
    <p style="color: red">four</p><script>five</script><template>six</template>
    <svg><style>.seven{}</style><title>eight</title></svg>`;
  expect(all(html)).toBe('four');
});

test('links, emphasis and pictures are reduced to their words', () => {
  const html = `<p>See <a href="http://example.org">the <b>t</b>ables</a> of <i>Brest</i>.
    <img src="a.png" alt="A pier\n  at noon"> <img src="b.png"></p>`;
  expect(all(html)).toBe('See the tables of Brest. A pier at noon');
});

test('a line of text that looks like a heading is marked as none', () => {
  expect(all('<p># of ships: 4</p><p>Berth #4</p>')).toBe('\\# of ships: 4\n\nBerth #4');
});

test('an exponent stays one, other raised text is told as it is', () => {
  expect(
    all('<p>10<sup>6</sup> m<sup>2</sup>, s<sup>-1</sup>, Na<sup>+</sup>, 2<sup>nd</sup>, sea<sup>[1]</sup></p>'),
  ).toBe('10⁶ m², s⁻¹, Na⁺, 2nd, sea[1]');
});

test('choices of a list stand on lines of their own', () => {
  expect(all('<p>Port:<select><option>Brest</option><option>Cork</option></select></p>')).toBe('Port:\nBrest\nCork');
});
