import { writeZip } from './zip-writer.ts';

export type Block =
  | { heading: 1 | 2 | 3; text: string }
  | { text: string }
  | { list: string[]; ordered?: boolean }
  | { table: string[][] };

const main = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';
const packageRoot = 'http://schemas.openxmlformats.org/package/2006';
const officeRelations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const wordType = 'application/vnd.openxmlformats-officedocument.wordprocessingml';
const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

/** A Word document (ECMA-376) of headings, paragraphs, lists and tables. */
export function writeDocx(title: string, blocks: readonly Block[]): Buffer {
  const body = blocks.map(renderBlock).join('');
  return writeZip([
    { name: '[Content_Types].xml', data: contentTypes },
    { name: '_rels/.rels', data: relations('officeDocument', 'word/document.xml', true) },
    { name: 'docProps/core.xml', data: coreProperties(title) },
    { name: 'word/document.xml', data: `${head}<w:document xmlns:w="${main}"><w:body>${body}</w:body></w:document>` },
    { name: 'word/_rels/document.xml.rels', data: wordRelations },
    { name: 'word/styles.xml', data: styles },
    { name: 'word/numbering.xml', data: numbering },
  ]);
}

function renderBlock(block: Block): string {
  if ('heading' in block) return paragraph(block.text, `<w:pStyle w:val="Heading${block.heading}"/>`);
  if ('list' in block) {
    const properties = `<w:numPr><w:ilvl w:val="0"/><w:numId w:val="${block.ordered ? 2 : 1}"/></w:numPr>`;
    return block.list.map((item) => paragraph(item, properties)).join('');
  }
  if ('table' in block) {
    const rows = block.table.map((cells, index) => {
      const row = cells.map((cell) => `<w:tc><w:tcPr/>${paragraph(cell)}</w:tc>`).join('');
      return `<w:tr>${index === 0 ? '<w:trPr><w:tblHeader/></w:trPr>' : ''}${row}</w:tr>`;
    });
    const grid = (block.table[0] ?? []).map(() => '<w:gridCol w:w="3000"/>').join('');
    return `<w:tbl><w:tblPr/><w:tblGrid>${grid}</w:tblGrid>${rows.join('')}</w:tbl>`;
  }
  return paragraph(block.text);
}

function paragraph(text: string, properties = ''): string {
  const style = properties && `<w:pPr>${properties}</w:pPr>`;
  return `<w:p>${style}<w:r><w:t xml:space="preserve">${escapeXml(text)}</w:t></w:r></w:p>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const contentTypes = `${head}<Types xmlns="${packageRoot}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="${wordType}.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="${wordType}.styles+xml"/><Override PartName="/word/numbering.xml" ContentType="${wordType}.numbering+xml"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>`;

function relations(type: string, target: string, withProperties: boolean): string {
  const properties = `<Relationship Id="rId2" Type="${packageRoot}/relationships/metadata/core-properties" Target="docProps/core.xml"/>`;
  return `${head}<Relationships xmlns="${packageRoot}/relationships"><Relationship Id="rId1" Type="${officeRelations}/${type}" Target="${target}"/>${withProperties ? properties : ''}</Relationships>`;
}

const wordRelations = `${head}<Relationships xmlns="${packageRoot}/relationships"><Relationship Id="rId1" Type="${officeRelations}/styles" Target="styles.xml"/><Relationship Id="rId2" Type="${officeRelations}/numbering" Target="numbering.xml"/></Relationships>`;

function coreProperties(title: string): string {
  return `${head}<cp:coreProperties xmlns:cp="${packageRoot}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>${escapeXml(title)}</dc:title></cp:coreProperties>`;
}

const headingStyles = [1, 2, 3]
  .map(
    (level) =>
      `<w:style w:type="paragraph" w:styleId="Heading${level}"><w:name w:val="heading ${level}"/><w:pPr><w:outlineLvl w:val="${level - 1}"/></w:pPr><w:rPr><w:b/></w:rPr></w:style>`,
  )
  .join('');
const styles = `${head}<w:styles xmlns:w="${main}">${headingStyles}</w:styles>`;

const numberFormat = (id: number, format: string, text: string) =>
  `<w:abstractNum w:abstractNumId="${id}"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="${format}"/><w:lvlText w:val="${text}"/></w:lvl></w:abstractNum>`;
const numbering = `${head}<w:numbering xmlns:w="${main}">${numberFormat(0, 'bullet', '•')}${numberFormat(1, 'decimal', '%1.')}<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num></w:numbering>`;
