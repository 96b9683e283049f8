const run = (text: string) => `<w:r><w:t xml:space="preserve">${text}</w:t></w:r>`;

/**
 * Rewrites the parts of a Word document's main XML that mammoth leaves out although they are text: simple fields, runs
 * with a direction of their own, ruby (its base text with it) and formulas. They become ordinary runs. Tabs and breaks that
 * it leaves out, joining the words before and after, become ordinary tabs.
 */
export function withHiddenText(xml: string): string {
  let result = xml
    .replace(/<\/?w:(?:fldSimple|bdo|dir)(?:\s[^>]*)?>/g, '')
    .replace(
      /<w:(?:cr|ptab(?:\s[^>]{0,200})?|br(?:\s[^>]{0,200})?\sw:type="(?:page|column)"[^>]{0,200})\/>/g,
      '<w:tab/>',
    );
  result = replaceElements(result, 'w:ruby', (inner) => {
    // Ruby stands inside a run, so its base becomes text of that run.
    return textIn(
      between(inner, '<w:rubyBase>', '</w:rubyBase>'),
      'w:t',
      (text) => `<w:t xml:space="preserve">${text}</w:t>`,
    );
  });
  if (!result.includes('<m:oMath')) return result;
  result = result.replace(/<\/?m:oMathPara>/g, '');
  return replaceElements(result, 'm:oMath', (inner) => textIn(inner, 'm:t', run));
}

/** Replaces each `name` element by what `replace` makes of its content, in one pass. */
function replaceElements(xml: string, name: string, replace: (inner: string) => string): string {
  const open = `<${name}>`;
  const close = `</${name}>`;
  const parts: string[] = [];
  let from = 0;
  for (let at = xml.indexOf(open); at >= 0; at = xml.indexOf(open, from)) {
    const end = xml.indexOf(close, at);
    if (end < 0) break;
    parts.push(xml.slice(from, at), replace(xml.slice(at + open.length, end)));
    from = end + close.length;
  }
  parts.push(xml.slice(from));
  return parts.join('');
}

function between(xml: string, open: string, close: string): string {
  const start = xml.indexOf(open);
  return start < 0 ? '' : xml.slice(start, xml.indexOf(close, start));
}

function textIn(xml: string, element: string, wrap: (text: string) => string): string {
  const texts = [...xml.matchAll(new RegExp(`<${element}(?: [^>]{0,100})?>([^<]*)</${element}>`, 'g'))];
  const text = texts.map(([, each]) => each).join('');
  return text === '' ? '' : wrap(text);
}
