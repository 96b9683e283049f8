import { expect, test } from '@jest/globals';
import { createInMemoryLexicalIndex } from '../../testing/in-memory-lexical-index.ts';
import { queryTerms } from './score.ts';
import { lexicalEntry } from './terms.ts';

const scope = { tenant: 'acme', namespace: 'default' };

/** The texts that a query finds by its words, best first, by their places. */
async function find(texts: readonly string[], query: string): Promise<number[]> {
  const index = createInMemoryLexicalIndex();
  index.follow(() => new Map(texts.map((_, at) => [`${at}`, 1])));
  for (const [at, text] of texts.entries())
    index.activate(scope, `${at}`, 1, await index.prepare(scope, [lexicalEntry('', text)]));
  const { hits } = await index.rank(scope, { terms: queryTerms(query), limit: 10 });
  return hits.map(({ documentId }) => Number(documentId));
}

/** Of each language three texts, and what must find the first of them before the others. */
const cases: Readonly<Record<string, { readonly texts: readonly string[]; readonly queries: readonly string[] }>> = {
  German: {
    texts: ['Die Straßenbahn fährt über die Brücke.', 'Das Museum öffnet um neun Uhr.', 'Der Zug hält in Köln.'],
    queries: ['STRASSENBAHN', 'Straßenbahnen', 'Welche Brücken?', 'bruecke Brucke'],
  },
  French: {
    texts: ["L'école de l'île a été fondée en 1890.", 'Le marché ouvre le samedi.', 'Une rivière traverse la ville.'],
    queries: ['ecole ile', 'les écoles', 'fondation de l’école'],
  },
  Russian: {
    texts: ['Учёные открыли новую звезду.', 'Музей работает по субботам.', 'Поезд идёт в Казань.'],
    queries: ['ученые', 'звёзды и звезда', 'открытие учёных'],
  },
  Arabic: {
    texts: ['افتتحت الجامعة مكتبةً جديدة للطلاب.', 'يصل القطار إلى المدينة مساءً.', 'المتحف مغلق يوم الجمعة.'],
    queries: ['جامعة', 'الجامعات', 'والمكتبة', 'مكتبات', 'طالب للطلاب'],
  },
  Hindi: {
    texts: ['लड़कों ने नदी के किनारे किताबें पढ़ीं।', 'रेलगाड़ी शाम को आती है।', 'संग्रहालय शुक्रवार को बंद है।'],
    queries: ['किताब', 'लड़का', 'नदियाँ'],
  },
  Thai: {
    texts: ['มหาวิทยาลัยเปิดห้องสมุดใหม่สำหรับนักศึกษา', 'รถไฟมาถึงเมืองตอนเย็น', 'พิพิธภัณฑ์ปิดวันศุกร์'],
    queries: ['ห้องสมุด', 'นักศึกษาของมหาวิทยาลัยคือใคร', 'สมุด'],
  },
  Vietnamese: {
    texts: ['Trường đại học mở thư viện mới.', 'Tàu đến thành phố vào buổi tối.', 'Bảo tàng đóng cửa thứ sáu.'],
    queries: ['thư viện', 'ĐẠI HỌC nào mở thư viện?', 'trường học'],
  },
  Turkish: {
    texts: ["İstanbul'daki ırmak kıyısında bir köprü var.", 'Tren akşam gelir.', 'Müze cuma günü kapalı.'],
    queries: ['istanbul', 'ISTANBUL', 'IRMAK', 'köprüler', 'kopru'],
  },
  Greek: {
    texts: ['Το πανεπιστήμιο άνοιξε νέα βιβλιοθήκη.', 'Το τρένο φτάνει το βράδυ.', 'Το μουσείο κλείνει την Παρασκευή.'],
    queries: ['ΠΑΝΕΠΙΣΤΗΜΙΟ', 'πανεπιστημίου', 'βιβλιοθηκες'],
  },
  Romanian: {
    texts: ['Știința și viața orașului Iași.', 'Trenul sosește seara.', 'Muzeul este închis vineri.'],
    queries: ['ştiinţa', 'stiinta', 'ORAȘUL Iaşi'],
  },
  Japanese: {
    texts: ['大学が新しい図書館を開いた。', '電車は夕方に着く。', '博物館は金曜日に休む。'],
    queries: ['図書館', 'ダイガクではなく大学', '新しい図書館はどこ'],
  },
  Korean: {
    texts: ['대학교가 새 도서관을 열었다.', '기차는 저녁에 도착한다.', '박물관은 금요일에 쉰다.'],
    queries: ['도서관', '도서관에서', '대학교는'],
  },
  Burmese: {
    texts: ['တက္ကသိုလ်သည် စာကြည့်တိုက်အသစ်ဖွင့်သည်', 'ရထားသည်ညနေရောက်သည်', 'ပြတိုက်သောကြာနေ့ပိတ်သည်'],
    queries: ['စာကြည့်တိုက်'],
  },
};

const queriesOf = Object.entries(cases).flatMap(([language, { texts, queries }]) =>
  queries.map((query) => [language, query, texts] as const),
);

test.each(queriesOf)('%s is found in whatever form it is asked for: %s', async (_language, query, texts) => {
  expect((await find(texts, query))[0]).toBe(0);
});
