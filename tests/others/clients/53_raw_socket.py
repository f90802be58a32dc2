"""Writes HTTP/1.1 by hand over a socket, Connection: close, understands Content-Length, chunked and read-to-end.
Right because the socket has a time-out, the body is decoded by its framing, and only plain http addresses are accepted."""
import json
import socket
import time
from urllib.parse import urlsplit


class HeadshotError(Exception):
    pass


def exchange(host, port, path, payload, timeout):
    body = json.dumps(payload).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    until = time.monotonic() + timeout
    with socket.create_connection((host, port), timeout=timeout) as sock:
        sock.sendall(head.encode() + body)
        raw = bytearray()
        while True:
            sock.settimeout(max(0.01, until - time.monotonic()))
            piece = sock.recv(65536)
            if not piece:
                break
            raw += piece
            if complete(raw):
                break
    head, found, body = bytes(raw).partition(b"\r\n\r\n")
    if not found:
        raise ValueError("no header")
    lines = head.decode("latin-1").split("\r\n")
    headers = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = unchunk(body)
    elif "content-length" in headers:
        size = int(headers["content-length"])
        if len(body) < size:
            raise ValueError("body is cut")
        body = body[:size]
    return int(lines[0].split()[1]), json.loads(body)


def complete(raw):
    head, found, body = bytes(raw).partition(b"\r\n\r\n")
    if not found:
        return False
    low = head.lower()
    if b"transfer-encoding: chunked" in low:
        return body.endswith(b"0\r\n\r\n")
    for line in low.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return False


def unchunk(data):
    out = bytearray()
    while True:
        size, _, data = data.partition(b"\r\n")
        size = int(size.split(b";")[0], 16)
        if size == 0:
            return bytes(out)
        out += data[:size]
        data = data[size + 2:]


def make(base_url, key):
    url = urlsplit(base_url)
    if url.scheme != "http":
        raise HeadshotError("only http is supported")

    def post(operation, fields):
        try:
            code, data = exchange(url.hostname, url.port or 80, url.path.rstrip("/") + "/image_editing/" + operation, {**fields, "key": key}, 7)
        except (OSError, ValueError, IndexError):
            return None
        return data if isinstance(data, dict) and code != 429 and code < 500 else None

    def generate(prompt, face_image, seed, **kw):
        end = time.monotonic() + 40
        data = post("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}})
        if data is None:
            raise HeadshotError("no good answer to the submit")
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        job = data.get("id")
        if data.get("status") != "processing" or not job:
            raise HeadshotError(str(data.get("message")).replace(key, "***"))
        bad = early = 0
        while time.monotonic() < end:
            time.sleep(0.5)
            data = post(f"fetch/{job}", {})
            if data is None:
                bad += 1
                if bad > 5:
                    raise HeadshotError("no good answer to the fetch")
                continue
            bad = 0
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") == "failed" and data.get("id") == "" and early < 6:
                early += 1
            elif data.get("status") in ("success", "failed", "error"):
                raise HeadshotError(str(data.get("message")).replace(key, "***"))
        raise HeadshotError(f"job {job}: time over")

    return generate
