import type { Block } from './docx-writer.ts';

/** A journal article in two columns. */
export const foulingArticle = {
  title: 'Keeping composite blades clean without copper',
  authors: 'A. Okafor, L. Brandt, Y. Tanabe',
  paragraphs: [
    'Abstract. Mussels and barnacles on the blades of tidal turbines cost up to a fifth of the yield within two summers. Copper paints prevent that but poison the sea bed below. We compared three coatings without copper over 26 months on six turbines at Skarvoy.',
    '1 Introduction. A blade that is covered by barnacles of four millimetres loses lift and gains drag. Divers can clean it, yet each cleaning takes a day of slack waters and wears the gel coat. A coating from which larvae slide off is therefore worth more than one that kills them.',
    '2 Methods. Each of the six turbines carried one bare blade and one coated blade. Coating A was a silicone with 2 percent of a paraffin oil; coating B was a hydrogel of zwitterionic polymers; coating C imitated the skin of a pilot whale by ridges that are 40 micrometres apart. Every thirteenth week a remotely operated vehicle took photographs of all blades, and two people counted the animals without knowing which blade they saw.',
    '3 Results. Bare blades carried 61 animals per square decimetre after 26 months. Coating A carried 17, coating B 5 and coating C 44. The hydrogel kept its effect in moving water, but peeled at the leading edge of two blades, where sand strikes. Yield fell by 18 percent with bare blades and by 3 percent with the hydrogel.',
    '4 Discussion. The hydrogel is the best of the three if its edge is protected. We glued a strip of polyurethane over the first 70 millimetres of the leading edge and have seen no peeling for 11 months since. Ridges like those of whale skin did not work, perhaps because whales also shed their skin.',
    '5 Conclusion. We recommend hydrogel with a protected leading edge. Its cost of 5,200 euros a blade is paid back within seven months by the yield that is kept.',
    'Acknowledgements. We thank the crew of the barge Lomvi. The study was paid for by the Sea Foundation under grant 88-417.',
  ],
};

/** A manual of several pages; each entry begins a page. */
export const divingManual = {
  title: 'Diving manual of the shore station',
  pages: [
    {
      heading: '1 Who may dive',
      paragraphs: [
        'Only people with a commercial certificate of class B and a medical examination from the last twelve months may dive for the company. Nobody dives within 24 hours after a flight or after a night shift.',
        'A diving team has five members: supervisor, diver, standby diver, tender and boat driver. Below that number there is no dive, however urgent the work may be.',
      ],
    },
    {
      heading: '2 Gas and depth',
      paragraphs: [
        'Down to 24 metres we breathe nitrox with 36 percent of oxygen. The partial pressure of oxygen must not exceed 1.4 bar. Deeper work is done from the bell and with trimix, by the contractor.',
        'The umbilical is 90 metres long. Besides it every diver carries a bailout bottle of twelve litres, whose pressure is checked by the tender and written on the slate.',
      ],
    },
    {
      heading: '3 When something goes wrong',
      paragraphs: [
        'A diver who does not answer two line signals in a row is brought up by the standby diver at once. Nobody waits for a third signal.',
        'Pain in a joint, tingling or unusual tiredness within a day after a dive is taken for decompression sickness until a doctor says otherwise. The patient lies flat, breathes pure oxygen and drinks water. The nearest chamber is in the hospital of Brattvika, 35 minutes away by helicopter.',
      ],
    },
  ],
};

/** The pages of the annual report that are text; the auditor's scanned page stands between them. */
export const annualReport = {
  title: 'Annual report 2025',
  first: [
    'Skarvoy Tidal sold 34.1 gigawatt-hours in 2025, after 29.8 in the year before. Revenue was 6.9 million euros and the profit before tax 0.8 million.',
    'Turbine G2 stood still from May to August, because a bearing was damaged by a drifting trawl net. Without that the farm would have produced about 1.9 gigawatt-hours more.',
  ],
  last: [
    'For 2026 we expect 36 gigawatt-hours. The largest uncertainty is the price that the grid company pays for balancing, which doubled in the autumn.',
    'The board proposes a dividend of 1.20 euros a share, to be paid on 4 June 2026.',
  ],
};

export const leaseAgreement: { title: string; blocks: Block[] } = {
  title: 'Lease of hall 3',
  blocks: [
    { heading: 1, text: 'Lease of hall 3' },
    {
      text: 'Between Fuglesund Harbour Estates (the landlord) and Skarvøy Tidal (the tenant), on hall 3 at the southern quay, with 2,150 square metres of floor.',
    },
    { heading: 2, text: 'Rent and deposit' },
    {
      table: [
        ['Item', 'Amount', 'Due'],
        ['Rent', '11,400 euros a month', 'on the third working day'],
        ['Heating and water', '1,250 euros a month', 'with the rent'],
        ['Deposit', '45,600 euros', 'once, before the keys are handed over'],
        ['Crane, by the hour', '96 euros', 'within thirty days after the invoice'],
      ],
    },
    {
      text: 'The rent follows the consumer price index every other January, but rises by no more than four percent at a time.',
    },
    { heading: 2, text: 'Duration' },
    {
      text: 'The lease begins on 1 August 2024 and runs for eight years. The tenant may prolong it once by five years, by a letter that reaches the landlord nine months before the end.',
    },
    { heading: 2, text: 'Duties of the tenant' },
    {
      list: [
        'Keeps the doors to the quay clear for the fire brigade at all times.',
        'Stores no more than 800 litres of oil, above a tray that holds all of it.',
        'Lets the landlord in after a notice of two days.',
      ],
    },
    { heading: 3, text: 'Subletting' },
    {
      text: 'Subletting needs the written consent of the landlord. Parking boats over the winter does not count as subletting.',
    },
  ],
};

export const labReport: { title: string; blocks: Block[] } = {
  title: 'Lab report: membranes for the drinking water of the platform',
  blocks: [
    { heading: 1, text: 'Membranes for the drinking water of the platform' },
    {
      text: 'The platform makes its own drinking water from the sea. We tested four membranes for reverse osmosis at 55 bar and 8 degrees Celsius, each for 500 hours.',
    },
    { heading: 2, text: 'Results' },
    {
      table: [
        ['Membrane', 'Salt held back', 'Litres per hour', 'Energy per cubic metre'],
        ['Polyamide P1', '99.2 %', '118', '3.9 kWh'],
        ['Polyamide P2', '99.6 %', '97', '4.4 kWh'],
        ['Graphene oxide', '98.1 %', '171', '2.8 kWh'],
        ['Aquaporin', '99.7 %', '143', '3.1 kWh'],
      ],
    },
    { heading: 2, text: 'Judgement' },
    {
      text: 'The aquaporin membrane holds back the most salt and needs little energy. Its proteins suffer from chlorine, so the tank must be disinfected by ultraviolet light instead.',
    },
    {
      text: 'Graphene oxide passes the most water, but after 380 hours it began to swell, and boron rose above the limit of 2.4 milligrams per litre.',
    },
    { heading: 2, text: 'What to do next' },
    {
      list: ['Order two aquaporin modules.', 'Replace chlorine by a lamp of 40 watts.', 'Measure boron every week.'],
      ordered: true,
    },
  ],
};
