import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { writePdf } from './pdf-writer.js';
import { seededRandom } from './random.js';

const subjects = [
  'The rotor',
  'The gearbox',
  'The cable',
  'The brake',
  'The pump',
  'The anode',
  'The crane',
  'The buoy',
];
const verbs = ['was inspected', 'was cleaned', 'was replaced', 'was measured', 'was painted', 'was calibrated'];
const places = [
  'at the north quay',
  'in hall 3',
  'below the platform',
  'on the barge',
  'at slack water',
  'in the basin',
];
const findings = [
  'no wear',
  'light corrosion',
  'a loose bolt',
  'a worn seal',
  'some mussels',
  'a scratch in the paint',
];
const linesPerPage = 38;
/** A fact that stands on this page only: every page can be searched for. */
export function largePdfFact(page) {
  const random = seededRandom(page * 7919);
  const tons = 100 + Math.floor(random() * 900);
  return `Log sheet ${page}: inspector ${inspectorOf(page)} recorded a load of ${tons} kilonewtons at mooring line ${page}.`;
}
function inspectorOf(page) {
  const first = ['Aud', 'Birk', 'Cato', 'Dina', 'Eirik', 'Frida', 'Grim', 'Hedda', 'Iver', 'Jorunn'];
  const last = ['Aas', 'Bakke', 'Dahl', 'Eide', 'Foss', 'Grov', 'Hval', 'Lund', 'Moe', 'Nygard'];
  return `${first[page % 10]} ${last[Math.floor(page / 10) % 10]}`;
}
/** A logbook of so many pages, about 2,500 characters on each, different on every page. The same number gives the same bytes. */
export function largePdf(pages) {
  return writePdf(
    Array.from({ length: pages }, (_, index) => logSheet(index + 1)),
    { title: `Logbook of ${pages} sheets` },
  );
}
function logSheet(page) {
  const random = seededRandom(page);
  const pick = (words) => words[Math.floor(random() * words.length)];
  const texts = [{ x: 56, y: 64, size: 14, font: 'bold', text: `Sheet ${page}` }];
  texts.push({ x: 56, y: 92, size: 10, text: largePdfFact(page) });
  for (let line = 0; line < linesPerPage; line += 1) {
    const hour = String(Math.floor(random() * 24)).padStart(2, '0');
    const text = `${hour}:${String(line).padStart(2, '0')} ${pick(subjects)} ${pick(verbs)} ${pick(places)}; found: ${pick(findings)}.`;
    texts.push({ x: 56, y: 116 + line * 17, size: 10, text });
  }
  return { texts };
}
if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { pages: { type: 'string', default: '2000' } },
    allowPositionals: true,
  });
  const [path] = positionals;
  if (path === undefined) throw new Error('Usage: node scripts/samples/large-pdf.ts [--pages 2000] FILE.pdf');
  await writeFile(path, largePdf(Number(values.pages)));
}
//# sourceMappingURL=large-pdf.js.map
