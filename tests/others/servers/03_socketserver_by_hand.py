"""socketserver.StreamRequestHandler that parses HTTP/1.1 by itself and closes after each reply; slashes escaped as the vendor does.
Right: Connection: close with an exact Content-Length is plain HTTP, and `\\/` is plain JSON."""
import itertools
import json
import os
import socketserver
import sys
import time
import uuid

PORT = int(sys.argv[1])
KEY, DELAY = os.environ.get("KEY", "any"), float(os.environ.get("JOB_SECONDS", 0.3))
ids = itertools.count(29763508)
store = {}


def error(text):
    return {"status": "error", "message": text}


def answer(path, raw):
    try:
        doc = json.loads(raw.decode())
        assert type(doc) is dict
    except (ValueError, AssertionError):
        return error("Invalid API Request")
    if KEY != "any" and doc.get("key") != KEY or not doc.get("key"):
        return error("Invalid API key")
    if path == "/api/v6/image_editing/flux_headshot":
        for need in "prompt", "face_image":
            if need not in doc:
                return error("The %s field is required." % need)
        n = next(ids)
        url = "http://127.0.0.1:%d/out/%s-0.png" % (PORT, uuid.uuid4())
        store[str(n)] = (time.time() + DELAY, url, n)
        return {"status": "processing", "tip": "", "eta": 1, "message": "Try to fetch request after seconds estimated",
                "fetch_result": "http://127.0.0.1:%d/api/v6/image_editing/fetch/%d" % (PORT, n), "id": n, "output": [],
                "future_links": [url], "proxy_links": [url], "meta": {k: doc[k] for k in doc if k != "key"}}
    if path.startswith("/api/v6/image_editing/fetch/"):
        found = store.get(path.split("/")[5])
        if not found:
            return {"status": "failed", "id": "", "message": "Request not found", "output": ""}
        ready, url, n = found
        if time.time() < ready:
            return {"status": "processing", "message": "try again later.", "output": "", "tip": "later"}
        return {"status": "success", "id": n, "output": [url], "proxy_links": [url]}
    return error("Not found")


class Talk(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self):
        line = self.rfile.readline().decode("latin-1").split()
        if len(line) != 3:
            return
        size = 0
        expect = False
        while (header := self.rfile.readline().strip()):
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
            if name.lower() == b"expect":
                expect = True
        if expect:
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        raw = self.rfile.read(size)
        if line[0] == "POST":
            head, doc = "200 OK", answer(line[1].rstrip("/"), raw)
        else:
            head, doc = "405 Method Not Allowed", error("Use POST")
        out = json.dumps(doc).replace("/", "\\/").encode()
        self.wfile.write(f"HTTP/1.1 {head}\r\nContent-Type: application/json\r\nContent-Length: {len(out)}\r\nConnection: close\r\n\r\n".encode() + out)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 50


with Server(("127.0.0.1", PORT), Talk) as server:
    server.serve_forever()
