/**
 * Sizes in tokens of the embedding model. Chunks of about 200 tokens with 50 of overlap find the most of the answers'
 * characters at rank 1 (0.645; 128 without overlap 0.526, 400 without 0.622, on chroma-chunking).
 */

/** A chunk without its overlap. Cuts by hash leave two thirds of this on average. */
export const maxCoreTokens = 230;
/** No cut leaves less than this on either side where another cut is to be had. */
export const minCoreTokens = 60;
export const overlapTokens = 50;
export const maxChunkTokens = 256;
/** What a chunk is filled to: joining units may add a token here and there. */
export const filledChunkTokens = 250;
/** A section with less text than this goes together with what follows. */
export const tinySectionTokens = 30;
/** What a model takes, with its two control tokens. */
export const modelTokens = 512;

/** Parts of what is embedded besides the text; together with the longest chunk they fit the model. */
export const maxTitleTokens = 60;
export const maxHeadingsTokens = 60;
export const maxTableHeaderTokens = 100;
