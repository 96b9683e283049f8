/** Pseudo-random numbers from 0 to below 1, the same for the same seed (mulberry32, public domain, by T. Ettinger). */
export declare function seededRandom(seed: number): () => number;
