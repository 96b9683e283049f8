"""Searches for each line of standard input: python3 batched_search.py [NAMESPACE] < queries.txt

Prints a line for each: the query, the best document, where in its text, and the passage.
"""

import sys

from memory import call_json

# The most that one request takes.
QUERIES_AT_ONCE = 100


def main(namespace="default"):
    queries = [line.strip() for line in sys.stdin if line.strip()]
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        group = queries[start : start + QUERIES_AT_ONCE]
        asked = [{"query": query, "namespace": namespace, "topK": 1} for query in group]
        # Results are in the order of the queries.
        for query, result in zip(group, call_json("/search/batch", {"queries": asked})["results"]):
            if "degraded" in result:
                print(f"{query}: less than what was asked for, {', '.join(result['degraded'])}", file=sys.stderr)
            best = next(iter(result["hits"]), None)
            place = f"{best['span']['start']}-{best['span']['end']}" if best else ""
            text = " ".join(best["text"].split()) if best else ""
            print(query, best["documentId"] if best else "nothing", place, text, sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
