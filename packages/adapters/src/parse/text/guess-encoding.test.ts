import { expect, test } from '@jest/globals';
import iconv from 'iconv-lite';
import { decodeText as decode } from './charset.ts';

const decodeText = (bytes: Uint8Array) => decode(bytes).text;

// The first article of the Universal Declaration of Human Rights.
const russian =
  'Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.';
const greek =
  'Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι με λογική και συνείδηση.';
const hebrew = 'כל בני אדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון.';
const arabic = 'يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق. وقد وهبوا عقلاً وضميرًا.';
const ukrainian =
  'Всі люди народжуються вільними і рівними у своїй гідності та правах. Вони наділені розумом і совістю і повинні діяти у відношенні один до одного в дусі братерства.';
const japanese = '灯台守は毎晩船を数えます。';
const polish =
  'Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni rozumem i sumieniem i powinni postępować wobec innych w duchu braterstwa.';
const czech =
  'Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni rozumem a svědomím a mají spolu jednat v duchu bratrství.';
const turkish =
  'Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler ve birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler.';

test.each([
  ['Russian', russian, ['windows-1251', 'koi8-r', 'iso-8859-5', 'cp866']],
  ['Ukrainian', ukrainian, ['windows-1251', 'koi8-u']],
  [
    'Bulgarian',
    'Всички хора се раждат свободни и равни по достойнство и права. Те са надарени с разум и съвест.',
    ['windows-1251'],
  ],
  ['Greek', greek, ['windows-1253', 'iso-8859-7']],
  ['Hebrew', hebrew, ['windows-1255', 'iso-8859-8']],
  ['Arabic', arabic, ['windows-1256', 'iso-8859-6']],
  ['Thai', 'มนุษย์ทั้งปวงเกิดมามีอิสระและเสมอภาคกันในศักดิ์ศรีและสิทธิ', ['windows-874']],
  ['Chinese', '人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。', ['gb18030']],
  ['traditional Chinese', '人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心。', ['big5']],
  ['Japanese', japanese, ['shift_jis', 'euc-jp']],
  ['Korean', '모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.', ['euc-kr']],
  ['Polish', polish, ['windows-1250', 'iso-8859-2']],
  ['Czech', czech, ['windows-1250', 'iso-8859-2']],
  [
    'Hungarian',
    'Minden emberi lény szabadon születik és egyenlő méltósága és joga van. A költő elé gyűlő erdő, a tűző nap.',
    ['windows-1250', 'iso-8859-2'],
  ],
  [
    'Romanian',
    'Toate fiinţele umane se nasc libere şi egale în demnitate şi în drepturi. Ele sunt înzestrate cu raţiune şi conştiinţă.',
    ['windows-1250', 'iso-8859-2'],
  ],
  ['Turkish', turkish, ['windows-1254', 'iso-8859-9']],
  [
    'Lithuanian',
    'Visi žmonės gimsta laisvi ir lygūs savo orumu ir teisėmis. Jiems suteiktas protas ir sąžinė, todėl jie turi elgtis vienas kito atžvilgiu kaip broliai.',
    ['windows-1257'],
  ],
])('%s is read without a declaration', (_language, text, encodings) => {
  for (const encoding of encodings)
    expect([encoding, decodeText(iconv.encode(text, encoding))]).toEqual([encoding, text]);
});

test('twenty letters are enough for another script, between numbers and English too', () => {
  expect(decodeText(iconv.encode('Привет, как твои дела?', 'windows-1251'))).toBe('Привет, как твои дела?');
  const table = 'id;name;price\n1001;Чайник электрический;24.90\n1002;Лампа настольная;12.50\n';
  expect(decodeText(iconv.encode(table, 'windows-1251'))).toBe(table);
  const comment = 'function total(rows) {\n  // 计算所有行的总和\n  return rows.reduce((a, b) => a + b, 0);\n}\n';
  expect(decodeText(iconv.encode(comment, 'gb18030'))).toBe(comment);
});

test('a single letter of another Latin alphabet is enough where the language is clear', () => {
  const hungarian =
    'Ez a program az összes megadott fájlt egymás után kiírja, amíg a felhasználó le nem állítja a gépet, a végén pedig a bővítményeket.';
  expect(decodeText(iconv.encode(hungarian, 'windows-1250'))).toBe(hungarian);
});

test.each([
  'Der Wärter heißt Jürgen.',
  'où est-il ?',
  'Questa è la città più bella, però così è.',
  'Para å, for å, i ø: ærlig talt.',
  'É só não pôr a mão: três pães e dois limões.',
  'dagsetning sýnd með',
  'Það er sýnd með þessu, og ég veit það.',
  'Është një gjë e mirë që të gjithë të jenë këtu për të parë.',
  'Õhtul sõidame üle jõe, kõik öösel tagasi.',
  'In “Café Müller” – the naïve one – it’s £5… or €6.',
  'const label = "Größe"; // in °C, ±2 µm\n',
  'name;city\nSørensen;Århus\nMuñoz;Cádiz\nÇelik;Malmö\n',
  'ÀÉÎÕÜ',
])('western European text stays what it is: %s', (text) => {
  expect(decodeText(iconv.encode(text, 'windows-1252'))).toBe(text);
});

test('a byte that windows-1252 does not have makes no other language of English', () => {
  for (const byte of [0x81, 0x8d, 0x8f, 0x90, 0x9d]) {
    const odd = Buffer.from(`public transportation. The city also has an a${String.fromCharCode(byte)}rport`, 'latin1');
    expect([byte, decodeText(odd)]).toEqual([byte, 'public transportation. The city also has an a\ufffdrport']);
  }
});

test('tables of accents, rows of dashes and leaders of dots are no words of another script', () => {
  const accents = `replace('ÀÁÂÃÄÅàáâãäåÒÓÔÕÖØòóôõöøÈÉÊËèéêëÇçÌÍÎÏìíîïÙÚÛÜùúûüÑñÿ', 'AAAAAA')`;
  expect(decodeText(iconv.encode(accents, 'windows-1252'))).toBe(accents);
  for (const sign of ['–', '—', '•', '…', '·', '¬', '¯', '»']) {
    const rows = `Contents ${sign.repeat(20)} 5\n${sign.repeat(11)}\nThe end.\n`;
    expect(decodeText(iconv.encode(rows, 'windows-1252'))).toBe(rows);
  }
});

test('the first letter that is not ASCII may come late', () => {
  const code = 'let total = 0; // nothing to see here\n'.repeat(4000);
  expect(decodeText(iconv.encode(`${code}// Größe\n`, 'windows-1252'))).toBe(`${code}// Größe\n`);
  expect(decodeText(iconv.encode(`${code}// ${russian}\n`, 'koi8-r'))).toBe(`${code}// ${russian}\n`);
});

test('a page is told by its words, however much markup stands around them', () => {
  const style = '<style>\n.box { margin: 0 auto; padding: 4px 8px; font: 12px/1.5 Arial }\n</style>\n'.repeat(400);
  const menu = '<ul>\n<li><a href="/about.html" title="About us">About us</a></li>\n</ul>\n';
  for (const [text, encoding] of [
    [russian, 'windows-1251'],
    [polish, 'iso-8859-2'],
    [japanese, 'euc-jp'],
    ['Der Wärter heißt Jürgen.', 'windows-1252'],
  ] as const) {
    const page = `<html>\n<head>\n${style}</head>\n<body>\n${menu}<p>${text}</p>\n${menu}</body>\n</html>\n`;
    expect(decodeText(iconv.encode(page, encoding))).toBe(page);
  }
});

test('a long text is told by its start, wherever that ends within a character', () => {
  for (const indent of ['', ' ']) {
    const text = indent + japanese.repeat(2000);
    expect(decodeText(iconv.encode(text, 'euc-jp'))).toBe(text);
  }
});

test('an encoding that the text itself names is taken', () => {
  const xml = '<?xml version="1.0" encoding="macintosh"?><p>Größe</p>';
  expect(decodeText(iconv.encode(xml, 'macintosh'))).toBe(xml);
});
