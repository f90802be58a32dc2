"""asyncio.start_server with its own HTTP reader: keep-alive, Content-Length and chunked request bodies.
Right: framing is honoured in both directions and a bad request line closes the connection."""
import asyncio
import json
import os
import sys
import time
import uuid

KEY = os.environ.get("KEY", "any")
SECONDS = float(os.environ.get("JOB_SECONDS", "0.3"))
PORT = int(sys.argv[1])
JOBS = {}


async def read_request(reader):
    line = (await reader.readline()).decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = {}
    while (raw := (await reader.readline()).decode("latin-1").strip()):
        name, _, value = raw.partition(":")
        headers[name.lower()] = value.strip()
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = b""
        while (size := int((await reader.readline()).split(b";")[0], 16)):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return line[0], line[1], line[2], headers, body


def handle(method, path, body):
    if method != "POST":
        return 405, {"status": "error", "message": "Only POST"}
    try:
        data = json.loads(body)
        secret = data.get("key")
    except (ValueError, AttributeError):
        return 200, {"status": "error", "message": "Invalid API Request"}
    if not secret or KEY not in ("any", secret):
        return 200, {"status": "error", "message": "Invalid API key" if secret else "API key required"}
    match path.split("?")[0].strip("/").split("/"):
        case ["api", "v6", "image_editing", "flux_headshot"]:
            for name in ("prompt", "face_image"):
                if not data.get(name):
                    return 200, {"status": "error", "message": f"The {name} field is required."}
            number = 7_000_000 + len(JOBS)
            JOBS[str(number)] = job = {"id": number, "t": time.monotonic(), "out": [f"http://127.0.0.1:{PORT}/i/{uuid.uuid4()}-0.png"]}
            return 200, {"status": "processing", "id": number, "eta": 1, "fetch_result": f"http://127.0.0.1:{PORT}/api/v6/image_editing/fetch/{number}",
                         "future_links": job["out"], "output": [], "message": "working", "meta": {k: v for k, v in data.items() if k != "key"}}
        case ["api", "v6", "image_editing", "fetch", number]:
            job = JOBS.get(number)
            if job is None:
                return 200, {"status": "failed", "id": "", "message": "Request not found", "output": ""}
            if time.monotonic() - job["t"] < SECONDS:
                return 200, {"status": "processing", "message": "working", "output": ""}
            return 200, {"status": "success", "id": job["id"], "output": job["out"]}
    return 404, {"status": "error", "message": "Unknown path"}


async def connection(reader, writer):
    try:
        while (request := await asyncio.wait_for(read_request(reader), 30)):
            method, path, version, headers, body = request
            code, reply = handle(method, path, body)
            keep = headers.get("connection", "").lower() != "close" and version == "HTTP/1.1"
            data = json.dumps(reply).encode()
            phrase = {200: "OK", 404: "Not Found", 405: "Method Not Allowed"}[code]
            writer.write(f"HTTP/1.1 {code} {phrase}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
                         f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n".encode() + data)
            await writer.drain()
            if not keep:
                break
    except (asyncio.IncompleteReadError, asyncio.TimeoutError, ConnectionError, ValueError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(connection, "127.0.0.1", PORT)
    async with server:
        await server.serve_forever()


asyncio.run(main())
