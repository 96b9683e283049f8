import { expect, test } from '@jest/globals';
import { isInModelsLanguage, isUnknownToModel } from './query-language.ts';

test.each([
  'How many days off do employees get?',
  'redis sentinel failover',
  'ERR_SSL_42',
  'Charles de Gaulle',
  'Who was Charles de Gaulle?',
  'los angeles population',
  'the naïve café',
  'what does "qué será será" mean in the song',
  'das keyboard review',
  'Was the war of 1812 in a treaty?',
  'Where is Der Spiegel published?',
  'von Neumann architecture',
  'what is a coup d etat',
  '2026',
])('English, or nothing that says otherwise: %s', (query) => {
  expect(isInModelsLanguage(query)).toBe(true);
});

test.each([
  '¿Cuál es la capital de Francia?',
  'Quelle est la capitale de la France ?',
  'Qual é a capital da França?',
  'Qual è la capitale della Francia?',
  'Was ist die Hauptstadt von Frankreich?',
  'Wie viele Tage Urlaub haben die Angestellten?',
  'Wat is de hoofdstad van het land?',
  'Vilken är huvudstaden i Frankrike?',
  'Care este capitala Franței?',
  'Câte zile de concediu au angajații?',
  'Was bedeutet AFC?',
  'Woraus besteht Sauerstoff?',
  'In welchem Jahr begann Doctor Who?',
  'Ce echipa a castigat Super Bowl 50?',
  'Unde a avut loc meciul?',
  'Normanlar kimlerdi?',
  'Quanti punti hanno subito i Panthers?',
  'Missä Varsova on?',
  'Jaka jest stolica Francji?',
  "Fransa'nın başkenti neresi ve nüfusu kaç?",
  'Thủ đô của nước Pháp là gì?',
  'Apa ibu kota yang ada di Prancis?',
  'Mikä on Ranskan pääkaupunki?',
  'Какой город столица Франции?',
  'Ποια είναι η πρωτεύουσα της Γαλλίας;',
  'ما هي عاصمة فرنسا؟',
  'फ्रांस की राजधानी क्या है?',
  '法国的首都是哪里？',
  'เมืองหลวงของฝรั่งเศสคืออะไร',
])('another language: %s', (query) => {
  expect(isInModelsLanguage(query)).toBe(false);
  // The same letters in another form are the same query.
  expect(isInModelsLanguage(query.normalize('NFD'))).toBe(false);
});

test.each([
  ['เมืองหลวงของฝรั่งเศสคืออะไร', true],
  ['API ของระบบคืออะไรกันแน่', true],
  ['ما هي عاصمة فرنسا؟', false],
  ['फ़्रांस की राजधानी क्या है?', false],
  ['Какая столица у Франции?', false],
  ['法国的首都是哪里？', false],
  ['green pines', false],
  ['2026', false],
])('%s has letters that the model lacks: %s', (query, expected) => {
  expect(isUnknownToModel(query)).toBe(expected);
});
