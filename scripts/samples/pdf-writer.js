import { createHash } from 'node:crypto';
import { encryptPdf } from './pdf-encryption.js';
/** In points of 1/72 inch; A4 unless said otherwise. */
export const a4 = { width: 595, height: 842 };
const standardFonts = { regular: 'Helvetica', bold: 'Helvetica-Bold' };
/** A PDF 1.4 file of pages that carry text in standard fonts, or one picture each. The same input gives the same bytes. */
export function writePdf(pages, { title, password } = {}) {
  // Numbers from 1: catalog, page tree, two fonts, information, then for each page itself, its content and its picture.
  const objects = [];
  const perPage = 3;
  const pageNumber = (index) => 6 + index * perPage;
  const kids = pages.map((_, index) => `${pageNumber(index)} 0 R`).join(' ');
  objects.push({ head: '<< /Type /Catalog /Pages 2 0 R >>' });
  objects.push({ head: `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>` });
  for (const name of Object.values(standardFonts)) {
    objects.push({ head: `<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>` });
  }
  objects.push({ head: title && !password ? `<< /Title (${escapeText(title)}) >>` : '<< >>' });
  for (const [index, page] of pages.entries()) {
    const own = pageNumber(index);
    const picture = 'jpeg' in page;
    const resources = picture ? `/XObject << /Scan ${own + 2} 0 R >>` : '/Font << /regular 3 0 R /bold 4 0 R >>';
    const box = `/MediaBox [0 0 ${a4.width} ${a4.height}]`;
    const content = picture ? `q ${a4.width} 0 0 ${a4.height} 0 0 cm /Scan Do Q` : page.texts.map(drawText).join('\n');
    objects.push({
      head: `<< /Type /Page /Parent 2 0 R ${box} /Resources << ${resources} >> /Contents ${own + 1} 0 R >>`,
    });
    objects.push({ head: '', stream: Buffer.from(content, 'latin1') });
    if (!picture) objects.push({ head: 'null' });
    else {
      const color = page.gray ? '/DeviceGray' : '/DeviceRGB';
      const size = `/Width ${page.width} /Height ${page.height} /ColorSpace ${color} /BitsPerComponent 8`;
      objects.push({ head: `/Type /XObject /Subtype /Image ${size} /Filter /DCTDecode`, stream: page.jpeg });
    }
  }
  return serialise(objects, password);
}
function serialise(objects, password) {
  const hash = createHash('md5');
  for (const { head, stream } of objects) hash.update(head).update(stream ?? '');
  const id = hash.digest();
  const encryption = password === undefined ? undefined : encryptPdf(password, id);
  const parts = [Buffer.from('%PDF-1.4\n%\u00e2\u00e3\u00cf\u00d3\n', 'latin1')];
  const offsets = [];
  let length = parts[0]?.length ?? 0;
  const write = (part) => {
    parts.push(part);
    length += part.length;
  };
  const all = encryption ? [...objects, { head: encryption.dictionary }] : objects;
  for (const [index, object] of all.entries()) {
    offsets.push(length);
    write(Buffer.from(`${index + 1} 0 obj\n`));
    if (!object.stream) write(Buffer.from(`${object.head}\n`, 'latin1'));
    else {
      const data = encryption ? encryption.encrypt(index + 1, object.stream) : object.stream;
      write(Buffer.from(`<< ${object.head} /Length ${data.length} >>\nstream\n`));
      write(data);
      write(Buffer.from('\nendstream\n'));
    }
    write(Buffer.from('endobj\n'));
  }
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const encrypt = encryption ? `/Encrypt ${all.length} 0 R ` : '';
  const ids = `/ID [<${id.toString('hex')}> <${id.toString('hex')}>]`;
  const trailer = `trailer\n<< /Size ${all.length + 1} /Root 1 0 R /Info 5 0 R ${encrypt}${ids} >>\nstartxref\n${length}\n%%EOF\n`;
  return Buffer.concat([...parts, Buffer.from(`xref\n0 ${all.length + 1}\n0000000000 65535 f \n${table}${trailer}`)]);
}
function drawText({ x, y, size, font = 'regular', text }) {
  return `BT /${font} ${size} Tf ${x} ${a4.height - y} Td (${escapeText(text)}) Tj ET`;
}
function escapeText(text) {
  // Latin 1 is all that WinAnsiEncoding and this writer share; anything else would come out as another letter.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is the point
  if (/[^\u0000-\u00ff]/.test(text)) throw new RangeError(`Not in Latin 1: ${text}`);
  return text.replace(/[\\()]/g, '\\$&');
}
//# sourceMappingURL=pdf-writer.js.map
