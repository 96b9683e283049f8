const firstNode = 1;
const maxNodes = 2 ** 20;
const tableSize = 2 ** 18;

/**
 * The vocabulary as a trie over UTF-16 units: one step a unit, whatever the word. Looking up slices in a map tries
 * every length of every piece, which a text of random letters turns into minutes.
 *
 * Edges live in one open-addressing table (key: node and unit), 2 MB for BERT's 30,522 pieces.
 */
export class WordTrie {
  readonly #alphabet = new Uint16Array(2 ** 16);
  readonly #keys = new Int32Array(tableSize);
  readonly #targets = new Int32Array(tableSize);
  readonly #ids: Int32Array;
  #letters = 0;
  #nodes = firstNode;

  /** @param pieces each piece with its id; ids are 0 or more. */
  constructor(pieces: Iterable<readonly [string, number]>) {
    const ids: number[] = [-1, -1];
    for (const [piece, id] of pieces) {
      let node = firstNode;
      for (let i = 0; i < piece.length; i++) node = this.#addEdge(node, piece.charCodeAt(i));
      ids[node] = id;
    }
    this.#ids = Int32Array.from({ length: this.#nodes + 1 }, (_, node) => ids[node] ?? -1);
  }

  get root(): number {
    return firstNode;
  }

  /** The node behind `unit`, or 0 where no piece goes on so. */
  step(node: number, unit: number): number {
    const letter = this.#alphabet[unit]!;
    if (letter === 0) return 0;
    const key = node * 2048 + letter;
    for (let slot = hash(key); ; slot = (slot + 1) % tableSize) {
      const found = this.#keys[slot]!;
      if (found === key) return this.#targets[slot]!;
      if (found === 0) return 0;
    }
  }

  /** The id of the piece that ends at the node, or -1. */
  idAt(node: number): number {
    return this.#ids[node]!;
  }

  #addEdge(node: number, unit: number): number {
    if (this.#alphabet[unit] === 0) this.#alphabet[unit] = ++this.#letters;
    const existing = this.step(node, unit);
    if (existing !== 0) return existing;
    const target = ++this.#nodes;
    if (this.#letters >= 2048 || target >= maxNodes || target > tableSize / 2)
      throw new RangeError('the vocabulary is larger than the trie holds');
    const key = node * 2048 + this.#alphabet[unit]!;
    let slot = hash(key);
    while (this.#keys[slot] !== 0) slot = (slot + 1) % tableSize;
    this.#keys[slot] = key;
    this.#targets[slot] = target;
    return target;
  }
}

/** Fibonacci hashing (Knuth, TAOCP 3, 6.4): spreads neighbouring keys over the table. */
function hash(key: number): number {
  return Math.imul(key, 0x9e3779b1) >>> (32 - 18);
}
