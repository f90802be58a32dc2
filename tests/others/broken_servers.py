"""What makes a right server of `servers` a broken one: each twin differs by one bug.

`TWINS` holds them in order.
"""

from dataclasses import dataclass
from pathlib import Path

SERVERS = Path(__file__).parent / "servers"


@dataclass
class Twin:
    name: str
    right: str  # the number of the right server
    bug: str
    pairs: tuple  # (text of the right server, text of the broken one)

    def program(self) -> Path:
        """Return the right server's program; Node's, where Python only starts it."""
        path = next(SERVERS.glob(f"{self.right}_*.py"))
        return path.with_suffix(".js") if path.with_suffix(".js").exists() else path

    def source(self) -> str:
        """Return the broken server's program."""
        program = self.program().read_text(encoding="utf-8")
        for right, broken in self.pairs:
            if right not in program:
                raise ValueError(f"{self.name}: {self.right} has no {right!r}")
            program = program.replace(right, broken, 1)
        return program


TWINS = []


def twin(name, right, bug, *pairs):
    TWINS.append(Twin(name, right, bug, pairs))


twin('null_seed_crashes', '01', 'a null seed is given to int(): the connection ends without a reply', ('        if body.get("seed") is None:\n            body["seed"] = random.randrange(2**32)\n', '        body["seed"] = int(body["seed"])\n'))
twin('get_gives_result', '01', 'the fetch answers GET as well, without asking for the key', ('    def submit(self, body):', '    def do_GET(self):\n        self.fetch(self.path[len(BASE + "fetch/"):].strip("/"))\n\n    def submit(self, body):'))
twin('key_in_meta', '01', 'meta echoes the whole request, the key too', ('{k: v for k, v in body.items() if k != "key"}', 'dict(body)'))
twin('id_as_text', '01', 'the id in the reply to the submit is a string', ('"id": number, "output": []', '"id": str(number), "output": []'))
twin('ids_by_the_second', '14', 'ids are made from the clock in whole seconds: two jobs in a second share one', ('number = next(numbers)', 'number = int(now.timestamp())'))
twin('ids_race', '29', 'ids are counted by the size of the table without a lock: calls at the same time get the same id', ('number = next(numbers)', 'number = 77000000 + len(futures)\n        time.sleep(0.005)     # check of the picture'))
twin('output_while_processing', '02', 'the reply to the submit says processing, but output holds the links already', ('"id": job.id, "output": [],', '"id": job.id, "output": links,'))
twin('future_links_differ', '04', 'the final links are other ones than those in future_links', ('output=links)\n\n\ndef fail', 'output=[f"http://127.0.0.1:{port}/static/{uuid.uuid5(uuid.NAMESPACE_URL, link)}.png" for link in links])\n\n\ndef fail'))
twin('links_change_with_every_fetch', '05', 'every fetch makes up a new link', ('output=[job["link"]])', 'output=[request.host_url + f"generations/{uuid.uuid4()}-0.png"])'))
twin('success_without_output', '18', 'a finished job has an empty output', ('"id": int(text), "output": job["links"], "proxy_links"', '"id": int(text), "output": [], "proxy_links"'))
twin('seconds_as_milliseconds', '03', 'the time of a job is multiplied by a thousand: it never ends', ('time.time() + DELAY,', 'time.time() + DELAY * 1000,'))
twin('done_at_once', '06', 'the time of the job is not added: it is finished before it could be', ('(time.monotonic() + float(os.environ.get("JOB_SECONDS", 0.3)), link)', '(float(os.environ.get("JOB_SECONDS", 0.3)), link)'))
twin('goes_back_to_processing', '17', 'a finished job is processing again later', ('if time.monotonic() < page["ready"]:', 'if not page["ready"] <= time.monotonic() < page["ready"] + 0.3:'))
twin('forgets_after_first_success', '01', 'a job is removed when its result is handed out for the first time', ('            self.reply({"status": "success", "id": job["id"], "output": [job["link"]]})', '            del jobs[number]\n            self.reply({"status": "success", "id": job["id"], "output": [job["link"]]})'))
twin('status_completed', '10', 'says "completed" instead of "success"', ('{"status": "success", "id": job["id"]', '{"status": "completed", "id": job["id"]'))
twin('status_capitalised', '11', 'the status words have a capital letter in the fetch', ('{"status": "success", "id": job["id"]', '{"status": "Success", "id": job["id"]'))
twin('eta_as_text', '12', 'eta is a string', ("eta: 1,", "eta: '1',"))
twin('eta_negative', '16', 'eta is the age of the server subtracted the wrong way round: negative', ('"eta": 1,', '"eta": int(time.monotonic() - job["ready"] - 1),'))
twin('fetch_result_relative', '09', 'fetch_result is a path without host', ('"fetch_result": str(request.url.replace(path=f"/api/v6/image_editing/fetch/{number}"))', '"fetch_result": f"/api/v6/image_editing/fetch/{number}"'))
twin('fetch_result_other_host', '13', 'fetch_result points to the vendor instead of this server', ('fetch_result: `http://127.0.0.1:${this.port}/api', 'fetch_result: `https://modelslab.com/api'))
twin('fetch_result_wrong_path', '15', 'fetch_result has a path that this server does not have', ('/api/v6/image_editing/fetch/{job[\'id\']}"', '/api/v6/images/fetch/{job[\'id\']}"'))
twin('framework_422', '07', 'validation errors leave as the framework makes them: HTTP 422 with detail', ('@app.exception_handler(RequestValidationError)\nasync def invalid', 'async def invalid'))
twin('bad_json_is_500', '04', 'json.loads is not guarded: malformed JSON gives HTTP 500 in plain text', ('    try:\n        body = json.loads(raw)\n    except ValueError:\n        return send("200 OK", fail("Invalid API Request"))\n', '    body = json.loads(raw)\n'))
twin('bad_json_drops_connection', '15', 'malformed JSON ends the connection without a reply', ('        except (ValueError, AttributeError):\n            return {"status": "error", "message": "Invalid API Request"}\n', '        except KeyError:\n            return {"status": "error", "message": "Invalid API Request"}\n'))
twin('any_key_is_good', '05', 'the key is only looked for, never compared', ('    if KEY != "any" and body["key"] != KEY:\n        return None, error("Invalid API key")\n', ''))
twin('fetch_needs_no_key', '05', 'the fetch does not check the key', ('def fetch(job_id):\n    _, problem = body_or_error()\n    if problem:\n        return problem\n', 'def fetch(job_id):\n'))
twin('key_by_substring', '10', 'a part of the key is good enough', ('if KEY not in ("any", body["key"]):', 'if KEY != "any" and body["key"] not in KEY:'))
twin('face_image_not_required', '09', 'face_image is not asked for', ('for field in ("prompt", "face_image"):', 'for field in ("prompt",):'))
twin('message_names_wrong_field', '23', 'the refusal always names prompt', ('f"The {name} field is required."', '"The prompt field is required."'))
twin('unknown_id_is_html_404', '28', 'an unknown id gives an HTML page with 404', ('        elif path.startswith("/api/v6/image_editing/fetch/"):\n            reply = fetch(path.rsplit("/", 1)[1])\n',
     '        elif path.startswith("/api/v6/image_editing/fetch/"):\n            if path.rsplit("/", 1)[1] not in JOBS:\n                await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/html")]})\n                await send({"type": "http.response.body", "body": b"<h1>Not Found</h1>"})\n                return\n            reply = fetch(path.rsplit("/", 1)[1])\n'))
twin('unknown_id_is_processing', '21', 'an unknown id is processing for ever', ('        if job is None:\n            return web.json_response({"status": "failed"', '        if job is None:\n            return web.json_response({"status": "processing", "message": "try again later.", "output": ""})\n            return web.json_response({"status": "failed"'))
twin('unknown_id_crashes', '04', 'an unknown id is a KeyError: HTTP 500', ('    try:\n        born, links = jobs[int(job)]\n    except (KeyError, ValueError):\n        return dict(status="failed", id="", message="Request not found", output="", tip="")\n', '    born, links = jobs[int(job)]\n'))
twin('last_job_for_everybody', '12', 'the fetch answers with the newest job whatever id is asked for', ("const job = jobs.get(id);", "const job = jobs.has(id) ? [...jobs.values()].pop() : undefined;"))
twin('shared_meta', '26', 'fields of earlier requests stay in meta', ('jobs, numbers = {}, itertools.count(5001)\n', 'jobs, numbers = {}, itertools.count(5001)\nfields = {}\n'), ('    fields = {n: body[n] for n', '    fields.update({n: body[n] for n'), ('if body.get(n) is not None}\n', 'if body.get(n) is not None})\n'), ('    fields["seed"] = random.getrandbits(32) if body.get("seed") is None else body["seed"]', '    fields.setdefault("seed", body.get("seed"))'))
twin('length_in_characters', '02', 'Content-Length counts characters, the body is sent in bytes: replies with foreign letters are cut', ('text = json.dumps(answer).encode("utf-8")', 'text = json.dumps(answer, ensure_ascii=False)'), ('self.wfile.write(text)', 'self.wfile.write(text.encode("utf-8")[:len(text)])'))
twin('length_too_large', '03', 'Content-Length is two more than the body has', ('Content-Length: {len(out)}', 'Content-Length: {len(out) + 2}'))
twin('last_chunk_missing', '15', 'the empty last chunk is never sent: clients wait', ('        self.wfile.write(b"0\\r\\n\\r\\n")\n', ''))
twin('reads_64k_only', '23', 'reads at most 64 KiB of the body: long requests are malformed, and the rest disturbs the next request', ('self.rfile.read(int(self.headers.get("Content-Length") or 0))', 'self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 65536))'))
twin('no_length_on_keepalive', '27', 'HTTP/1.1 without Content-Length, chunks or close: clients wait for the end', ('        self.send_header("Content-Length", str(len(data)))\n', ''))
twin('gzip_always', '16', 'compresses also when nobody asked', ('if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "").lower():', 'if True:'))
twin('gzip_unnamed', '16', 'compresses without saying so', ('headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]', 'headers += [("Vary", "Accept-Encoding")]'))
twin('latin1_replies', '15', 'replies are encoded as Latin-1', ('ensure_ascii=False).encode("utf-8")', 'ensure_ascii=False).encode("latin-1", "replace")'))
twin('json_twice', '10', 'the reply to the fetch is JSON in a JSON string', ('return web.json_response({"status": "success", "id": job["id"], "output": [job["link"]]})', 'return web.json_response(json.dumps({"status": "success", "id": job["id"], "output": [job["link"]]}))'))
twin('html_content_type', '01', 'JSON is served as text/html', ('"Content-Type", "application/json"', '"Content-Type", "text/html"'))
twin('webhook_too_early', '08', 'the event goes out before the job is marked as done', ('    jobs[number]["output"] = [link]\n    if webhook:', '    if webhook:'), ('                await client.post(webhook, json=event)\n', '                await client.post(webhook, json=event)\n    await asyncio.sleep(0.3)\n    jobs[number]["output"] = [link]\n'))
twin('webhook_has_the_key', '13', 'the event repeats the whole request, the key too', ("body: JSON.stringify({ status: 'success',", "body: JSON.stringify({ ...body, status: 'success',"))
twin('webhook_id_as_text', '20', 'the id in the event is a string', ('event = {"status": "success", "id": job["id"]', 'event = {"status": "success", "id": str(job["id"])'))
twin('webhook_flood', '20', 'the event is sent again and again', ('for _ in range(2):', 'for _ in range(50):'))
twin('webhook_form_encoded', '20', 'the event is form-encoded', ('json.dumps(event).encode(), {"Content-Type": "application/json"}', 'urllib.parse.urlencode(event).encode()'), ('import urllib.request\n', 'import urllib.parse\nimport urllib.request\n'))
twin('dead_webhook_kills_worker', '20', 'the worker sends the event itself and an unreachable receiver ends it: no later job ever finishes', ('            threading.Thread(target=notify, args=(job,), daemon=True).start()', '            notify(job)'), ('        except (OSError, ValueError):\n            pass\n        time.sleep(0.1)\n', '        finally:\n            time.sleep(0.1)\n'))
twin('guidance_must_be_integer', '06', 'guidance_scale 7.5 is refused', ('"guidance_scale": (int, float)', '"guidance_scale": int'))
twin('undeclared_fields_refused', '07', 'requests with fields that the document does not name are refused', ('extra="ignore"', 'extra="forbid"'))
twin('limit_excludes_itself', '02', 'a width of exactly 1024 is refused', ('if name in body and int(body[name]) > top:', 'if name in body and int(body[name]) >= top:'))
twin('null_webhook_crashes', '09', 'a null webhook is an AttributeError: HTTP 500', ('        number = 1 + secrets', '        webhook = body.get("webhook", "").strip()\n        number = 1 + secrets'))
twin('seed_int32', '13', 'seeds are cut to 32 bits with a sign', ('seed: body.seed ?? Math.floor(Math.random() * 2 ** 32)', 'seed: body.seed == null ? Math.floor(Math.random() * 2 ** 31) : body.seed | 0'))
twin('seed_zero_is_random', '26', 'seed 0 counts as missing', ('if body.get("seed") is None else', 'if not body.get("seed") else'))
twin('meta_is_a_list', '29', 'meta is an empty list, as PHP makes of an empty array', ('meta={"prompt": body["prompt"], "seed": body.get("seed")}', 'meta=[]'))
twin('output_is_one_text', '14', 'output of a finished job is a string, not a list', ('"output": [picture]}', '"output": picture}'))
twin('fetch_id_as_text', '21', 'the id in the fetch is the text from the path', ('{"status": "success", "id": job["id"]', '{"status": "success", "id": request.match_info["id"]'))
twin('fetch_202', '06', 'an unfinished job is reported with HTTP 202', ('return {"status": "processing", "output": "", "message": "Not ready yet."}', 'return {"status": "processing", "output": "", "message": "Not ready yet."}, 202'))
twin('submit_201', '07', 'an accepted submit has HTTP 201', ('@app.post("/api/v6/image_editing/flux_headshot")', '@app.post("/api/v6/image_editing/flux_headshot", status_code=201)'))
twin('tells_the_right_key', '03', 'the refusal of a wrong key names the right one', ('return error("Invalid API key")', 'return error("Invalid API key %r, expected %r" % (doc.get("key"), KEY))'))
twin('queue_never_empties', '23', 'finished jobs stay in the count: after five jobs every submit is refused', ('            account.tidy(now)\n', ''))
twin('refusal_has_an_id', '23', 'a refused submit still makes a job and tells its id', ('                return 429, {"status": "error",', '                self.jobs[str(100 + len(self.jobs))] = {"id": 0, "ready": now, "links": []}\n                return 429, {"id": 100 + len(self.jobs), "status": "error",'))
twin('not_a_number', '17', 'generationTime is NaN, which is no JSON', ('generationTime=0.01', 'generationTime=float("nan")'))
twin('bom_before_json', '14', 'a byte order mark stands before the JSON', ('json.dumps(self.think(raw), indent=2).encode()', 'json.dumps(self.think(raw), indent=2).encode("utf-8-sig")'))
twin('notice_before_json', '01', 'a warning of the interpreter stands before the JSON', ('        out = json.dumps(data).encode()\n', '        out = b"Notice: Undefined index: samples in api on line 42\\n" + json.dumps(data).encode()\n'))
twin('files_too_early', '21', 'the pictures are there before the job is done', ('if job is None or time.monotonic() < job["ready"]:', 'if job is None:'))
twin('files_never', '21', 'files are looked up by their whole address, under which none is stored: the pictures stay 404', ('job = self.by_file.get(request.match_info["name"])', 'job = self.by_file.get(str(request.url))'))
twin('prompt_stripped_of_letters', '11', 'foreign letters are thrown out of the prompt', ('"meta": {k: v for k, v in data.items() if k != "key"}}', '"meta": {k: v.encode("ascii", "ignore").decode() if isinstance(v, str) else v for k, v in data.items() if k != "key"}}'))
twin('sqlite_replaces_last_job', '24', 'every submit replaces the state of the last job instead of adding one', ('"insert into job (account, link, ready, meta) values (?, ?, ?, ?)"', '"insert or replace into job (id, account, link, ready, meta) values (155918900, ?, ?, ?, ?)"'))
twin('forgets_finished_jobs', '22', 'the moment of "Request not found" never ends for finished jobs', ('    if age < LAG:', '    if age < LAG or age > LAG + 2 * float(os.environ.get("JOB_SECONDS", "0.3")):'))
twin('crash_on_large_numbers', '18', 'limits are enforced by an assert: too large values end the connection', ('    number = rng.randrange', '    assert body.get("width") is None or int(body["width"]) <= 1024\n    number = rng.randrange'))
twin('actor_dies', '30', 'the actor has no guard: the first strange message ends it and every later request hangs', ('            try:\n                future.set_result(getattr(self, "on_" + verb)(*args))\n            except Exception as exc:\n                future.set_exception(exc)\n', '            future.set_result(getattr(self, "on_" + verb)(*args))\n'), ('        if number not in self.jobs:\n            return {"status": "failed", "id": "", "message": "Request not found", "output": ""}\n', ''))
twin('other_list_refused', '31', 'init_image is taken as one link only, the documented list is refused', ('not isinstance(pictures, list) or not 1 <= len(pictures) <= 4 or not all(isinstance(p, str) for p in pictures)', 'not isinstance(pictures, str)'))
twin('other_fetch_by_post', '32', 'the fetch wants POST where the document says GET', ('@app.get("/api/v3/result/<int:number>")', '@app.post("/api/v3/result/<int:number>")'))
twin('other_operation_missing', '33', 'one of the fifteen operations has no route', ('for operation in OPERATIONS:', 'for operation in list(OPERATIONS)[:-1]:'))
twin('other_header_ignored', '34', 'the required header is not asked for', ('        if not re.fullmatch(r"[a-z0-9-]{3,20}", tenant):\n            return error("The X-Tenant header is required.")\n', ''))
twin('other_undeclared_422', '35', 'wrong fields are refused with 422, which the document does not declare', ('        return 400, {"status": "error", "message": next', '        return 422, {"status": "error", "message": next'))
twin('other_null_id', '36', 'the id is null in a success', ('return job("success", found["id"], output', 'return job("success", None, output'))
