import type { Dice } from '../dice.ts';

const words = (
  'anchor apple april archive arrow autumn badger bakery ballast balloon bamboo barley basket beacon beaver bicycle ' +
  'blanket blossom border bottle bridge bronze bucket butter button cabin cable camera candle canvas captain carbon ' +
  'carpet castle cattle cellar cement chapel cherry chimney cinema circle clover cobalt coffee collar column comet ' +
  'compass copper coral cotton cradle crystal curtain dairy dancer desert diamond diesel dinner doctor dolphin donkey ' +
  'dragon drawer eagle easel eclipse elbow ember engine ermine fabric falcon farmer feather fellow fender ferry fiddle ' +
  'finger flannel flower forest fossil fountain friday funnel gallery garden garlic geyser giant ginger glacier glider ' +
  'goblet granite gravel guitar hammer harbour harvest hazel hedge helmet herring hollow honey horizon hotel hunter ' +
  'iceberg insect island ivory jacket jasmine jersey jungle kettle kingdom kitchen ladder lagoon lantern laurel lawyer ' +
  'leather lemon letter library lizard lobster locker lumber magnet mammoth marble market meadow melon mercury metal ' +
  'midnight mineral mirror monday monkey morning mortar mountain museum mustard napkin needle nickel novel oatmeal ' +
  'ocean olive onion orange orchard orchid otter oven owner oyster packet paddle palace panther paper parcel parrot ' +
  'pasture peanut pebble pelican pencil pepper petrol piano pigeon pillow pirate planet plaster platform pocket ' +
  'pollen poplar potato powder prairie printer puddle pumpkin puzzle quarry quartz quilt rabbit radish railway rainbow ' +
  'raven receipt ribbon river rocket rooster saddle saffron salmon sandal sapphire satchel saturn scarf season shadow ' +
  'shelter shovel silver singer sleeve spider spinach sponge spring squirrel stable statue stream sugar summer sunset ' +
  'swallow table tailor temple thunder ticket tiger timber tobacco tomato towel tower tractor trumpet tulip tunnel ' +
  'turtle valley vanilla velvet vessel village vinegar violin volcano voyage waffle wagon walnut water weather wheat ' +
  'whistle willow window winter wizard yellow zebra'
).split(' ');

const verbs = 'carries follows measures reaches covers repairs paints counts lifts finds crosses keeps'.split(' ');

/** The words that a text is made of: a few dozen of many, so that texts differ by more than the order of their words. */
export function topicOf(dice: Dice): string[] {
  return Array.from({ length: 28 }, () => dice.pick(words));
}

/** A sentence of seven to twelve words of the topic. */
export function sentenceOf(dice: Dice, topic: readonly string[]): string {
  const some = () => dice.pick(topic);
  const middle = Array.from({ length: dice.between(2, 5) }, some).join(' ');
  return `The ${some()} ${dice.pick(verbs)} the ${middle} near ${some()} number ${dice.between(2, 990)}.`;
}

/** A paragraph that carries the mark of its document and version, so that whoever meets it knows whose it is. */
export function paragraphOf(dice: Dice, topic: readonly string[], mark: string, sentences: number): string {
  const text = Array.from({ length: sentences }, () => sentenceOf(dice, topic)).join(' ');
  return `Note ${mark}. ${text}`;
}
