import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { Extraction } from '@semantic-memory/shared/contracts/model/extraction';
import { contextOf, withFile } from '../testing/format-context.ts';
import { replaceEntries } from '../zip/replace-entries.ts';
import { readZipDirectory } from '../zip/zip-directory.ts';
import { parseDocx } from './docx.ts';

const mediaType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
const fixture = (name: string) => readFile(fileURLToPath(new URL(`../../../testdata/parse/${name}`, import.meta.url)));

const parse = (docx: Uint8Array): Promise<Extraction> =>
  withFile(docx, (path) => parseDocx(path, contextOf(mediaType)));

/** The fixture with some parts replaced, and without others. */
async function docxWith(parts: Record<string, string>, without: readonly string[] = []): Promise<Buffer> {
  const bytes = await fixture('harbour.docx');
  const entries = readZipDirectory(bytes, 'DOCX', 1e8).filter(({ name }) => !without.includes(name));
  const contents = new Map(Object.entries(parts).map(([name, xml]) => [name, Buffer.from(xml)]));
  return replaceEntries(bytes, entries, contents, 'DOCX');
}

const documentOf = (body: string) => `<?xml version="1.0"?><w:document ${word}><w:body>${body}</w:body></w:document>`;
const paragraph = (text: string) => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`;

test('headings, lists and tables become Markdown, and the header and the title are told', async () => {
  const { title, pages } = await parse(await fixture('harbour.docx'));
  expect(title).toBe('Harbour & quay');
  expect(pages[0]!.text).toMatch(/^# Harbour plan\n\nThe harbour opens in spring\./);
  expect(pages[0]!.text).toMatch(/^\| Berth +\| Depth +\|$/m);
  expect(pages[0]!.text).toMatch(/Port authority, internal$/);
});

test('headings of a template are headings', async () => {
  const styles = `<?xml version="1.0"?><w:styles ${word}><w:style w:type="paragraph" w:styleId="Clause"><w:name w:val="Clause"/>
    <w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style></w:styles>`;
  const clause = '<w:p><w:pPr><w:pStyle w:val="Clause"/></w:pPr><w:r><w:t>Berths</w:t></w:r></w:p>';
  const parts = { 'word/document.xml': documentOf(clause + paragraph('Four.')), 'word/styles.xml': styles };
  expect((await parse(await docxWith(parts, ['word/header1.xml']))).pages[0]!.text).toBe('## Berths\n\nFour.');
});

test('clauses have the numbers that Word shows', async () => {
  const clause = (text: string, level: number) =>
    paragraph(text).replace(
      '<w:p>',
      `<w:p><w:pPr><w:numPr><w:ilvl w:val="${level}"/><w:numId w:val="1"/></w:numPr></w:pPr>`,
    );
  const levels = ['%1.', '%1.%2'].map(
    (text, index) => `<w:lvl w:ilvl="${index}"><w:numFmt w:val="decimal"/><w:lvlText w:val="${text}"/></w:lvl>`,
  );
  const numbering = `<?xml version="1.0"?><w:numbering ${word}><w:abstractNum w:abstractNumId="0">${levels.join('')}</w:abstractNum>
    <w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>`;
  const body = clause('Berths', 0) + paragraph('All of them.') + clause('Dues', 0) + clause('Ships', 1);
  const docx = await docxWith({ 'word/document.xml': documentOf(body), 'word/header1.xml': numbering });
  const entries = readZipDirectory(docx, 'DOCX', 1e8)
    .filter(({ name }) => name !== 'word/numbering.xml')
    .map((entry) => (entry.name === 'word/header1.xml' ? { ...entry, name: 'word/numbering.xml' } : entry));
  const { pages } = await parse(replaceEntries(docx, entries, new Map(), 'DOCX'));
  expect(pages[0]!.text).toBe('1. Berths\n\nAll of them.\n\n2. Dues\n\n2.1 Ships');
});

test('a page of HTML that the document takes in stands in its place, and of other files the job tells', async () => {
  const chunk = (id: string) => `<w:altChunk xmlns:r="x" r:id="${id}"/>`;
  const parts = {
    'word/document.xml': documentOf(paragraph('Before.') + chunk('r1') + paragraph('After.') + chunk('r2')),
    'word/_rels/document.xml.rels': `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
      <Relationship Id="r1" Type="x/aFChunk" Target="a.html"/><Relationship Id="r2" Type="x/aFChunk" Target="b.rtf"/></Relationships>`,
    'word/header1.xml': '<p>The tide.</p>',
  };
  const docx = await docxWith(parts);
  const entries = readZipDirectory(docx, 'DOCX', 1e8).map((entry) =>
    entry.name === 'word/header1.xml' ? { ...entry, name: 'word/a.html' } : entry,
  );
  const { pages, warnings } = await parse(replaceEntries(docx, entries, new Map(), 'DOCX'));
  expect(pages[0]!.text).toBe('Before.\n\nThe tide.\n\nAfter.');
  expect(warnings).toEqual([
    { code: 'part_not_read', message: 'The document takes in the file b.rtf, which is not read.' },
  ]);
});

test('a document whose parts are not related to one another is read', async () => {
  const docx = await docxWith({ 'word/document.xml': documentOf(paragraph('The tide.')) }, [
    'word/_rels/document.xml.rels',
  ]);
  expect((await parse(docx)).pages[0]!.text).toMatch(/^The tide\./);
});

test('simple fields, ruby and formulas are read with the text around them', async () => {
  const text = (await parse(await fixture('fields.docx'))).pages[0]!.text;
  expect(text).toContain('Chapter 12 begins.');
  expect(text).toContain('In 東京 it rains.');
});

test('a document without a title, without headers, or with an empty title has none', async () => {
  const bare = await parse(
    await docxWith({ 'word/document.xml': documentOf(paragraph('The tide.')) }, [
      'docProps/core.xml',
      'word/header1.xml',
    ]),
  );
  expect(bare.title).toBeUndefined();
  expect(bare.pages[0]!.text).toBe('The tide.');
  const untitled = await docxWith({
    'docProps/core.xml': '<cp:coreProperties><dc:title></dc:title></cp:coreProperties>',
  });
  expect((await parse(untitled)).title).toBeUndefined();
});

test('headers are told once, with their tabs as spaces and without mere page numbers', async () => {
  const header = `<w:hdr ${word}><w:p><w:r><w:t>Port &amp; pier</w:t><w:tab/><w:t xml:space="preserve"> office</w:t></w:r></w:p>
    ${paragraph('12 / 40')}${paragraph('Port &amp; pier office')}</w:hdr>`;
  const document = documentOf(paragraph('The tide.'));
  const { pages } = await parse(await docxWith({ 'word/document.xml': document, 'word/header1.xml': header }));
  expect(pages[0]!.text).toBe('The tide.\n\nPort & pier office');
});

test('characters that XML writes as numbers are told in headers and the title, and their breaks divide words', async () => {
  const header = `<w:hdr ${word}><w:p><w:r><w:t>Caf&#233;</w:t><w:br w:clear="all"/><w:t>H&#xFC;lle</w:t></w:r></w:p></w:hdr>`;
  const core = '<cp:coreProperties><dc:title>Caf&#xe9; &amp;#38; Bar</dc:title></cp:coreProperties>';
  const { title, pages } = await parse(await docxWith({ 'word/header1.xml': header, 'docProps/core.xml': core }));
  expect(title).toBe('Café &#38; Bar');
  expect(pages[0]!.text).toMatch(/\n\nCafé Hülle$/);
});

test('notes stand at the end, without a mark that leads back', async () => {
  const body = '<w:p><w:r><w:t>The tide</w:t><w:footnoteReference w:id="7"/></w:r></w:p>';
  const notes = `<w:footnotes ${word}><w:footnote w:id="7">${paragraph('At Brest.')}</w:footnote></w:footnotes>`;
  const docx = await docxWith({ 'word/document.xml': documentOf(body), 'word/header1.xml': notes }, [
    'docProps/core.xml',
  ]);
  const entries = readZipDirectory(docx, 'DOCX', 1e8).map((entry) =>
    entry.name === 'word/header1.xml' ? { ...entry, name: 'word/footnotes.xml' } : entry,
  );
  const { pages } = await parse(replaceEntries(docx, entries, new Map(), 'DOCX'));
  expect(pages[0]!.text).toBe('The tide[1]\n\n1.  At Brest.');
});

test('pictures leave their description', async () => {
  const drawing = `<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing">
    <wp:docPr id="1" name="p" descr="A pier at noon"/><a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">
    <a:graphicData><pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:blipFill>
    <a:blip r:embed="rId77" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"/></pic:blipFill>
    </pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>`;
  const relations = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
    <Relationship Id="rId77" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
    Target="header1.xml"/></Relationships>`;
  const docx = await docxWith({
    'word/document.xml': documentOf(paragraph('The tide.') + drawing),
    'word/_rels/document.xml.rels': relations,
  });
  expect((await parse(docx)).pages[0]!.text).toContain('A pier at noon');
});

test('a document whose text nests too deep is refused by name, one whose styles do by the engine', async () => {
  const deep = (times: number) => '<w:x>'.repeat(times) + '</w:x>'.repeat(times);
  await expect(parse(await docxWith({ 'word/document.xml': documentOf(deep(600)) }))).rejects.toMatchObject({
    code: 'limits_exceeded',
  });
  const styles = `<?xml version="1.0"?><w:styles ${word}>${deep(20_000)}</w:styles>`;
  await expect(parse(await docxWith({ 'word/styles.xml': styles }))).rejects.toThrow(RangeError);
});

test('a document that is no XML is damaged', async () => {
  await expect(parse(await docxWith({ 'word/document.xml': 'just text' }))).rejects.toMatchObject({
    code: 'corrupt_document',
  });
  await expect(parse(await fixture('truncated.docx'))).rejects.toMatchObject({ code: 'corrupt_document' });
});
