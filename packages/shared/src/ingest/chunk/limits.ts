/**
 * Sizes in tokens of the embedding model. Of the answers' characters the first five hits have, and of what they say so much
 * is answer (chroma-chunking, docs/evaluation.md): 0.892 and 0.058 with cores of 60 to 230 tokens, 0.900 and 0.055 with 110
 * to 250, 0.904 and 0.052 with these.
 */

/** A chunk without its overlap. Cuts by hash leave two thirds of this on average. */
export const maxCoreTokens = 270;
/** No cut leaves less than this on either side where another cut is to be had. */
export const minCoreTokens = 110;
export const overlapTokens = 50;
export const maxChunkTokens = 290;
/** What a chunk is filled to: joining units may add a token here and there. */
export const filledChunkTokens = 280;
/** A section with less text than this goes together with what follows. */
export const tinySectionTokens = 30;
/** What a model takes, with its two control tokens. */
export const modelTokens = 512;

/** Parts of what is embedded besides the text; together with the longest chunk they fit the model. */
export const maxTitleTokens = 60;
export const maxHeadingsTokens = 60;
export const maxTableHeaderTokens = 100;
