import type { Camera, Sheet } from './photograph.ts';

export interface Picture {
  file: string;
  format: 'png' | 'jpeg' | 'tiff' | 'webp';
  sheet: Sheet;
  camera: Camera;
}

const wide = { width: 1500, height: 1000, margin: 90, fontSize: 34 };

/** Photos of text, and what stands on them: the ground truth of OCR. */
export const pictures: Picture[] = [
  {
    file: 'photo-harbour-notice.jpg',
    format: 'jpeg',
    camera: { seed: 11, tilt: 1.4, noise: 18, shadow: 0.55 },
    sheet: {
      ...wide,
      paper: '#f4efdf',
      paragraphs: [
        'Notice to all boat owners',
        'The slipway is closed from 3 to 21 February while the rails are replaced. Boats that must come out of the water in these weeks are lifted by the mobile crane at pier 4, on Tuesdays and Fridays only.',
        'Book a place with the harbour master, Gudrun Vik, by telephone or in the red hut. A lift costs 85 euros, and 40 euros for members of the rowing club.',
        'Please take dinghies off the lawn. Whatever lies there on 2 February will be given to the scouts.',
      ],
    },
  },
  {
    file: 'photo-evacuation-card.png',
    format: 'png',
    camera: { seed: 12, tilt: -0.9, noise: 10, gray: true },
    sheet: {
      ...wide,
      paragraphs: [
        'If the alarm sounds on the platform',
        'A long steady tone means fire. Go to muster station B on the north side, and do not use the lift. The person nearest to the galley closes the gas valve.',
        'Three short tones mean that somebody has fallen into the water. Throw the ring with the lamp, point at the person, and never take your eyes off them.',
        'The capsule seats fourteen. It is lowered when everybody is strapped in, or after nine minutes.',
      ],
    },
  },
  {
    file: 'scan-radio-memo.tiff',
    format: 'tiff',
    camera: { seed: 13, tilt: 0.5, noise: 6, gray: true },
    sheet: {
      ...wide,
      fontSize: 30,
      paragraphs: [
        'Memo: radio channels from the first of June',
        'Working channel of the barge Lomvi: 72. Divers and their tender speak on 8 and on nothing else. Channel 16 stays free for distress and calling.',
        'Each handheld radio goes back into its charger at the end of a shift. Two were lost overboard last winter, and each of them cost 640 euros with its licence.',
        'The call sign of the control room changes from Skarvoy Base to Tidewatch, because visitors kept mistaking the old one for the ferry office.',
      ],
    },
  },
  {
    file: 'photo-kelp-notes.webp',
    format: 'webp',
    camera: { seed: 14, tilt: 2.1, noise: 14, shadow: 0.35 },
    sheet: {
      ...wide,
      paper: '#fbf7ea',
      ink: '#1d2a4a',
      paragraphs: [
        'Kelp transect 7, notes of the dive',
        'Visibility five metres, water at 9 degrees. Sugar kelp grows densely from 4 to 11 metres of depth, with blades of up to 2.3 metres. Below 12 metres only red algae are left.',
        'We counted 31 sea urchins along fifty metres. Last spring there were 118. The wolffish are back, and they eat urchins.',
        'The yellow rope that marks the far end has chafed through and should be replaced by chain.',
      ],
    },
  },
];

const letterSheet = { width: 1240, height: 1754, margin: 130, fontSize: 27 };

/** The pages of a letter that came by post and went through a scanner. */
export const scannedLetter: Sheet[] = [
  {
    ...letterSheet,
    paragraphs: [
      'Coastal Authority, District of Fuglesund',
      'To Skarvoy Tidal, for the attention of Mrs Haugland. 17 March 2025. Our reference: HA-2291.',
      'Permit to place six turbines on the sea bed',
      'Dear Mrs Haugland, on your application of 4 October 2024 we grant the permit to place and to run six turbines in the strait of Skarvoy until 31 December 2049, under the conditions that follow.',
      'First, the fairway keeps a depth of no less than 17 metres above the highest point of every blade. Second, each turbine carries a transponder that ships can receive at a distance of four nautical miles.',
      'Third, between 20 April and 15 May, while cod larvae drift through the strait, the rotors turn at no more than nine revolutions per minute.',
    ],
  },
  {
    ...letterSheet,
    paragraphs: [
      'HA-2291, second page',
      'Fourth, you deposit a guarantee of 2.7 million euros with us, out of which the removal of the turbines is paid should the company no longer exist.',
      'Fifth, every year by the end of February you send us the counts of marine mammals, whether or not they are favourable.',
      'Objections against this decision may be raised within six weeks, in writing, at the district court of Brattvika.',
      'With kind regards, Halvard Ness, head of section.',
    ],
  },
];

/** The middle page of a report that is text otherwise. */
export const auditorsPage: Sheet = {
  ...letterSheet,
  paragraphs: [
    'Statement of the auditor',
    'We have audited the accounts of Skarvoy Tidal for the year 2025. In our opinion they give a true and fair view.',
    'We draw attention to note 14: the provision for removing the turbines was raised from 3.1 to 4.6 million euros, because the price of heavy lift vessels has risen.',
    'Ravn and Partners, Bergen, 12 February 2026. Signed by Solveig Ravn, state authorised auditor.',
  ],
};
