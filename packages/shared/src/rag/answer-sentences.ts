import type { SearchHit } from '../contracts/model/search.ts';
import { termKeys } from '../search/terms.ts';
import { distinctSentences, type SourceSentence } from './source-sentences.ts';

/** A question is nearest to itself and answers nothing. */
export const isQuestion = ({ text }: SourceSentence): boolean => /[?？؟]["”')\]]*$/.test(text);

/** Whether it comes after a question: "By post." is an answer then. */
export const isAnswer = ({ hit }: SourceSentence, before: SourceSentence | undefined): before is SourceSentence =>
  before !== undefined && before.hit === hit && isQuestion(before);

/** Headings, labels and crumbs of tables are no answer where there are sentences. */
function isSentence({ quote, text }: SourceSentence): boolean {
  return !/^#{1,6} /.test(quote) && text.length >= 8 && (termKeys(text).size >= 2 || text.length >= 30);
}

/** What could be quoted from passages, in reading order, passage by passage, with the questions among it. */
export function answerSentences(passages: readonly SearchHit[]): SourceSentence[] {
  const all = distinctSentences(passages).filter((sentence) => sentence.text !== '');
  const telling = all.filter(
    (sentence, at) => isSentence(sentence) || isQuestion(sentence) || isAnswer(sentence, all[at - 1]),
  );
  return telling.length > 0 ? telling : all;
}
