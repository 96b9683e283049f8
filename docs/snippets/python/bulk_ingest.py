"""Takes in every file of a folder: python3 bulk_ingest.py FOLDER [NAMESPACE]

Ends with status 1 where a document failed.
"""

import json
import pathlib
import sys
import time
import uuid

from memory import call, call_json

# Up to 1,000 a request; fewer keep the requests small.
FILES_AT_ONCE = 100
FINAL = {"succeeded", "partial", "failed", "cancelled"}


def form(namespace, folder, paths):
    """A multipart body: its content type and its bytes."""
    boundary = uuid.uuid4().hex
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="namespace"\r\n\r\n{namespace}\r\n'.encode()]
    for path in paths:
        name = path.relative_to(folder).as_posix().replace('"', "%22")
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", path.read_bytes(), b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


def until_done(batch_id):
    while True:
        jobs = call_json(f"/ingest/batches/{batch_id}")["jobs"]
        if all(job["state"] in FINAL for job in jobs):
            return jobs
        time.sleep(0.5)


def main(folder, namespace="default"):
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        return f"{folder} is no folder"
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    failed = 0
    for start in range(0, len(paths), FILES_AT_ONCE):
        group = paths[start : start + FILES_AT_ONCE]
        content_type, body = form(namespace, folder, group)
        with call("/ingest/batch", body, {"Content-Type": content_type}) as response:
            batch_id = json.load(response)["batchId"]
        # Jobs are in the order of the files.
        for path, job in zip(group, until_done(batch_id)):
            print(job["state"], job["documentId"], path, job.get("error", {}).get("message", ""), sep="\t")
            failed += job["state"] not in ("succeeded", "partial")
    print(f"{len(paths) - failed} of {len(paths)} documents can be searched")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 else __doc__)
