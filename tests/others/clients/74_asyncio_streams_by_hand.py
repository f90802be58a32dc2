"""asyncio.open_connection and HTTP by hand (Connection: close), asyncio.timeout for each request and for the whole.
Right because the body is read by its framing, and a timeout inside a request is a failed fetch while the outer one is the deadline."""
import asyncio
import json
from urllib.parse import urlsplit


class HeadshotError(Exception):
    pass


class Unusable(Exception):
    pass


async def read_body(reader, headers):
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while (size := int((await reader.readline()).split(b";")[0], 16)):
            body += await reader.readexactly(size)
            await reader.readline()
        return body
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    return await reader.read()


def make(base_url, key):
    url = urlsplit(base_url)

    async def exchange(path, fields):
        body = json.dumps({"key": key, **fields}).encode()
        reader, writer = await asyncio.open_connection(url.hostname, url.port or (443 if url.scheme == "https" else 80), ssl=url.scheme == "https" or None)
        try:
            writer.write(f"POST {url.path.rstrip('/')}/image_editing/{path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
                         f"Content-Length: {len(body)}\r\nAccept: application/json\r\nConnection: close\r\n\r\n".encode() + body)
            await writer.drain()
            status = int((await reader.readline()).split()[1])
            headers = {}
            while (line := (await reader.readline()).decode("latin-1").strip()):
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            return status, json.loads(await read_body(reader, headers))
        finally:
            writer.close()

    async def post(path, fields, seconds=7):
        try:
            async with asyncio.timeout(seconds):
                status, reply = await exchange(path, fields)
        except (OSError, ValueError, IndexError, EOFError) as exc:     # TimeoutError is an OSError, IncompleteReadError an EOFError
            raise Unusable(type(exc).__name__) from None
        if status == 429 or status >= 500 or not isinstance(reply, dict):
            raise Unusable(f"HTTP {status}")
        return reply

    async def follow(job):
        bad = early = 0
        while True:
            await asyncio.sleep(0.5)
            try:
                reply = await post(f"fetch/{job}", {})
            except Unusable as exc:
                bad += 1
                if bad > 5:
                    raise HeadshotError(f"job {job}: fetch {exc}") from None
                continue
            bad = 0
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if reply.get("status") == "failed" and reply.get("id") == "" and early < 6:
                early += 1
            elif reply.get("status") in ("success", "failed", "error"):
                raise HeadshotError(f"job {job}: " + str(reply.get("message")).replace(key, "***"))

    async def generate(prompt, face_image, seed, **options):
        try:
            reply = await post("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in options.items() if v is not None}}, 20)
        except Unusable as exc:
            raise HeadshotError(f"submit: {exc}") from None
        if reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        job = reply.get("id")
        if reply.get("status") != "processing" or not job:
            raise HeadshotError(str(reply.get("message")).replace(key, "***"))
        try:
            async with asyncio.timeout(45):
                return await follow(job)
        except TimeoutError:
            raise HeadshotError(f"job {job}: 45 seconds") from None

    return generate
