"""Asks a question and prints the answer as it comes, then what it cites: python3 streaming_rag.py QUESTION [NAMESPACE]

Where the connection is lost it goes on where it was.
"""

import http.client
import json
import sys

from memory import ServiceError, call


def events_of(response):
    """The events of a response, as they come: https://html.spec.whatwg.org/multipage/server-sent-events.html"""
    fields = {}
    for line in response:
        name, _, value = line.decode().rstrip("\n").partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield fields
            fields = {}


def main(question, namespace="default"):
    response = call("/rag", {"question": question, "namespace": namespace, "stream": True})
    answer_id = last_id = resumed_from = ""
    while True:
        try:
            with response:
                for fields in events_of(response):
                    event, data, last_id = fields["event"], json.loads(fields["data"]), fields["id"]
                    if event == "sources":
                        answer_id = data["answerId"]
                    elif event == "token":
                        print(data["text"], end="", flush=True)
                    elif event == "citation":
                        print(f"\n{data['marker']} {data['documentId']}: “{data['quote']}”", end="")
                    elif event == "error":
                        raise ServiceError(data["error"]["message"])
                    elif event == "done":
                        print()
                        return
        except (http.client.HTTPException, OSError):
            pass  # As where the events end too soon.
        if last_id == resumed_from:
            raise ServiceError("The answer breaks off.")
        print("the connection is lost, going on", file=sys.stderr)
        # Kept for ten minutes after its last piece, at every API process.
        resumed_from = last_id
        response = call(f"/rag/{answer_id}/events", headers={"Last-Event-ID": last_id})


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) > 1 else sys.exit(__doc__)
