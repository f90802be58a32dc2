"""What makes a right client of `clients` a broken one: each twin differs by one bug.

`TWINS` holds them in order. `scenario` names what the API does when the symptom shows, `symptom`
what a caller or the API sees then, and `test` says the same as an expression over one run.
"""

from dataclasses import dataclass, field
from pathlib import Path

CLIENTS = Path(__file__).parent / "clients"


@dataclass
class Twin:
    name: str
    right: str | None  # the number of the right client; None: a program of its own
    bug: str
    symptom: str
    pairs: list  # (text of the right client, text of the broken one)
    text: str | None
    scenario: str
    test: str
    kind: str
    limit: float  # seconds
    fields: dict = field(default_factory=dict)

    def source(self) -> str:
        """Return the broken client's program."""
        if self.text is not None:
            return self.text.lstrip("\n")
        program = next(CLIENTS.glob(f"{self.right}_*.py")).read_text(encoding="utf-8")
        for right, broken in self.pairs:
            if right not in program:
                raise ValueError(f"{self.name}: {self.right} has no {right!r}")
            program = program.replace(right, broken, 1)
        return program


TWINS = []


def twin(name, right, bug, symptom, pairs, scenario, test, kind="plain", limit=12, fields=None):
    TWINS.append(
        Twin(name, right, bug, symptom, pairs, None, scenario, test, kind, limit, fields or {})
    )


def alone(name, text, scenario, test, kind="plain", limit=12, fields=None):
    said = dict(
        line.split(": ", 1) for line in text.splitlines() if line.startswith(("BUG: ", "SYMPTOM: "))
    )
    bug, symptom = said["BUG"], said.get("SYMPTOM", "")
    TWINS.append(
        Twin(name, None, bug, symptom, [], text, scenario, test, kind, limit, fields or {})
    )


twin('polls_with_get', '01', 'asks for the result with GET instead of POST', 'the API answers 405, the caller sees a failed fetch',
     [('r = post("/image_editing/fetch/%s" % job, {"key": key})', 'r = requests.get(base + "/image_editing/fetch/%s" % job, json={"key": key}, timeout=10)')],
     'ok', 'any(f[0] == "GET" for f in run.fetches) and out.error')
twin('ignores_status_in_200', '02', 'looks at the HTTP code only; an error envelope with HTTP 200 passes as an accepted job', 'polls the job "None"',
     [('if code >= 400 or status in ("error", "failed") or reply.get("id") in (None, ""):', 'if code >= 400:'),
      ('return self._wait(reply["id"],', 'return self._wait(reply.get("id"),')],
     'error200', 'any(f[3] == "None" for f in run.fetches)')
twin('never_gives_up', '39', 'the loop has no deadline', 'a job that never ends blocks the caller for ever',
     [('while time.monotonic() < until:', 'while True:')], 'forever', 'not out.finished', limit=32)
twin('no_pause_between_polls', '28', 'the pause between two fetches is missing', 'hundreds of fetches a second',
     [('            time.sleep(0.5)\n', '')], 'forever', 'len(run.fetches) > 100', limit=3)
twin('first_hiccup_is_fatal', '16', 'gives up after the first fetch that goes wrong', 'a paid job is lost because of one 503',
     [('if errors > 6:', 'if errors > 0:')], 'shaky', 'out.error is not None')
twin('empty_output_is_success', '42', 'status success with output "" is handed out as a result', 'the caller gets an empty string instead of links or an error',
     [('''                if status == "success" and reply.get("output"):
                    return reply["output"]
                if status in''', '''                if status == "success":
                    return reply.get("output")
                if status in''')], 'emptyoutput', 'out.finished and out.error is None and out.value == ""')
twin('future_links_as_output', '10', 'returns future_links of the processing reply as if they were the pictures', 'links that are not alive yet; failures of the job are never seen',
     [('            if reply.get("status") != "processing"', '            if reply.get("status") == "processing" and reply.get("future_links"):\n                return reply["future_links"]\n            if reply.get("status") != "processing"')],
     'failed', 'out.error is None and out.value and not run.fetches')
twin('resubmits_after_timeout', '60', 'a submit without an answer is sent again', 'the same generation is paid twice',
     [('''            data = await run("/image_editing/flux_headshot", body)
            if data is None:''', '''            data = None
            for _ in range(3):
                data = await run("/image_editing/flux_headshot", body)
                if data is not None:
                    break
            if data is None:''')], 'submitdrop', 'len(run.submits) > 1')
twin('resubmits_while_processing', '64', 'the loop never switches to the fetch address: it posts the generation again until one reply is a success', 'a new paid job with every poll',
     [('            url, body = f"{root}fetch/{job}", {"key": key}\n', '')], 'ok', 'len(run.submits) > 1', limit=5)
twin('retry_decorator_on_submit', '61', 'the retry decorator is on submit() too', 'five paid submits when the gateway answers 502',
     [('    def submit(self, fields):\n        try:\n            return self._post("/image_editing/flux_headshot", fields)\n        except Transient:\n            raise HeadshotError("the submit failed and is not repeated") from None',
       '    @patient(times=5, pause=0.2)\n    def submit(self, fields):\n        return self._post("/image_editing/flux_headshot", fields)')], 'submit500', 'len(run.submits) > 1')
twin('width_as_string', '43', 'width and height are sent as strings', 'the document says integer; a strict server refuses',
     [('"width": width, "height": height,', '"width": str(width), "height": str(height),')], 'ok', 'run.submits[0][1]["width"] == "512"')
twin('drops_steps', '23', 'num_inference_steps is accepted but never sent', 'the caller pays for the default number of steps',
     [('("num_inference_steps", num_inference_steps), ', '')], 'ok', '"num_inference_steps" not in run.submits[0][1]')
twin('stale_fields', '40', 'the request body is one dict per make(), so optional fields of an earlier call stay in it', 'the second call sends the width of the first',
     [('    def generate(*, prompt, face_image, seed, **kwargs):\n', '    body = {"key": key}\n\n    def generate(*, prompt, face_image, seed, **kwargs):\n'),
      ('        body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}\n', '        body.update(prompt=prompt, face_image=face_image, seed=seed)\n')],
     'ok', '"width" in run.submits[1][1]', kind='two')
twin('key_in_url', '17', 'the key is put into the query of the fetch address', 'the key stands in every access log',
     [('reply = post(f"image_editing/fetch/{job}", {"key": key})', 'reply = post(f"image_editing/fetch/{job}?key={key}", {"key": key})')], 'ok', 'any(KEY in f[4] for f in run.fetches)')
twin('key_in_exception', '45', 'the message of the server goes into the exception unchanged, with the key that it echoes', 'the key in tracebacks and bug reports',
     [('str(data.get("message", "")).replace(key, "***"))', 'str(data.get("message", "")))')], 'error200', 'KEY in out.text')
twin('key_in_log', '50', 'logs the whole request body and has no redacting filter', 'the key in the log file',
     [('    log.addFilter(Redact(key))\n', ''), ('        try:\n            response = http.post', '        log.info("%s <- %r", path, {"key": key, **body})\n        try:\n            response = http.post')],
     'ok', 'KEY in logs', kind='logs')
twin('follows_foreign_fetch_result', '44', 'posts to whatever address fetch_result holds', 'the key goes to a host that the caller never configured',
     [('        assert origin(url) == home\n', ''), ('and offered and origin(offered) == home:', 'and offered:')], 'foreign', 'any(KEY.encode() in h[2] and "/fetch/" in h[1] for h in foreign)')
twin('follows_redirects', '33', 'requests follows redirects, and a 307 repeats the body with the key on another host', 'the key leaves for the host in Location',
     [('timeout=timeout, allow_redirects=False)', 'timeout=timeout)')], 'redirect', 'any(KEY.encode() in h[2] and "flux_headshot" in h[1] for h in foreign)')
twin('no_socket_timeout', '21', 'no time-out on the sockets', 'one silent server blocks the caller, the number of polls does not help',
     [('urllib3.Timeout(connect=3, read=6)', 'urllib3.Timeout(connect=None, read=None)')], 'hang', 'not out.finished', limit=14)
twin('failed_is_processing', '02', '`failed` is not in the list of ends', 'polls a dead job until the deadline',
     [('if status in ("failed", "error") and not early:', 'if status == "error" and not early:')], 'failed', 'not out.finished', limit=14)
twin('empty_list_from_processing', '55', 'takes any list in `output` of the first reply for the result', 'every slow job returns []',
     [('            if reply.get("status") == "success" and reply.get("output"):\n                return reply["output"]\n            if reply.get("status") != "processing"',
       '            if isinstance(reply.get("output"), list):\n                return reply["output"]\n            if reply.get("status") != "processing"')], 'ok', 'out.error is None and out.value == []')
alone('track_id_compared_as_int', '''
"""Webhook receiver by http.server; waits for the event with its track_id, then confirms by one fetch.

BUG: compares the track_id of the event, which the API sends as text, with the integer that it sent
SYMPTOM: the event of its own job is never recognised; every call ends in the time-out
"""
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import requests


class HeadshotError(Exception):
    pass


def make(base_url, key):
    api = base_url.rstrip("/") + "/image_editing"

    def post(path, body):
        try:
            r = requests.post(api + path, json=dict(body, key=key), timeout=8, allow_redirects=False)
            data = r.json()
        except (requests.RequestException, ValueError):
            raise HeadshotError("no answer") from None
        if not isinstance(data, dict):
            raise HeadshotError("odd answer")
        return data

    def generate(prompt, face_image, seed, track_id=None, **kw):
        arrived = threading.Event()
        track_id = 1 if track_id is None else track_id

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self):
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()
                if event.get("track_id") == track_id:
                    arrived.set()

            def log_message(self, *args):
                pass

        server = HTTPServer(("127.0.0.1", 0), Hook)
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            kw = {k: v for k, v in kw.items() if v is not None}
            data = post("/flux_headshot", dict(kw, prompt=prompt, face_image=face_image, seed=seed, track_id=track_id,
                                               webhook="http://127.0.0.1:%d/" % server.server_port))
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") != "processing" or not data.get("id"):
                raise HeadshotError(str(data.get("message")).replace(key, "***"))
            if not arrived.wait(15):
                raise HeadshotError("job %s: no event in 15 seconds" % data["id"])
            job = data["id"]
            for _ in range(5):
                data = post("/fetch/%s" % job, {})
                if data.get("status") == "success" and data.get("output"):
                    return data["output"]
                time.sleep(0.5)
            raise HeadshotError(str(data.get("message", "no pictures")).replace(key, "***"))
        finally:
            server.shutdown()
            server.server_close()
            thread.join(2)

    return generate
''', 'ok', 'out.error is not None', limit=20)
twin('crashes_on_null_id', '18', 'turns the id into an int before looking whether there is one', 'TypeError of int() instead of an error of its own when id is null',
     [('            if data.get("status") != "processing" or not data.get("id"):', '            data["id"] = int(data["id"])\n            if data.get("status") != "processing" or not data.get("id"):')],
     'idnull', 'type(out.error).__name__ == "TypeError"')
twin('crashes_on_float_eta', '43', 'counts the eta down with range(), which wants an integer', 'TypeError when the API sends 0.4; the paid job is lost',
     [('        time.sleep(believable(reply.get("eta"), 20))\n', '        for _ in range(reply.get("eta", 1)):\n            time.sleep(1)\n')], 'odd', 'type(out.error).__name__ == "TypeError"')
twin('crashes_without_eta', '10', 'takes eta for granted', 'KeyError after the paid submit when the reply has no eta',
     [('            eta = reply.get("eta")\n', '            eta = reply["eta"]\n')], 'noeta', 'type(out.error).__name__ == "KeyError"')
twin('unicode_prompt_fails', '16', 'gives http.client a text with non-ASCII letters, which it encodes as Latin-1', 'every prompt with a foreign letter fails',
     [('body=json.dumps(body), headers', 'body=json.dumps(body, ensure_ascii=False), headers')], 'ok', 'out.error is not None and not run.submits')
twin('webhook_foreign_id', '35', 'the id in the event is not compared with the id of the job', 'an event about somebody else\'s job ends this call with the wrong pictures',
     [('if isinstance(event, dict) and str(event.get("id")) == str(job):', 'if isinstance(event, dict) and event:')], 'foreignhook', 'out.value and "foreign" in out.value[0]')
twin('job_id_on_self', '48', 'the id of the running job is kept on the shared object', 'two calls at the same time get the same result',
     [('        job, bad, early = data["id"], 0, 0\n', '        self.job, bad, early = data["id"], 0, 0\n'), ('f"/image_editing/fetch/{job}", {}', 'f"/image_editing/fetch/{self.job}", {}'), ('f"job {job}: limit', 'f"job {self.job}: limit')],
     'slow', 'mixed', kind='concurrent', limit=30)
twin('receiver_never_stopped', '35', 'the webhook receiver is never shut down', 'one thread and one listening port stay behind per call',
     [('            receiver.shutdown()\n            receiver.server_close()\n            thread.join(2)\n', '            pass\n')], 'ok', 'threads_left > 0', kind='threads')
alone('task_left_running', '''
"""httpx and an asyncio task that polls, an Event that tells the caller; asyncio.wait_for as deadline.

BUG: the polling task only sets the Event and goes on polling; nobody cancels it
SYMPTOM: fetches go on after the call has returned, one more task per call
"""
import asyncio

import httpx


class HeadshotError(Exception):
    pass


def make(base_url, key):
    url = base_url.rstrip("/") + "/image_editing/"
    background = set()

    async def post(path, body):
        try:
            async with httpx.AsyncClient(timeout=8) as http:
                response = await http.post(url + path, json={**body, "key": key})
            data = response.json()
        except (httpx.HTTPError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    async def poll(job, state, event):
        faults = early = 0
        while faults < 6:
            await asyncio.sleep(0.4)
            data = await post(f"fetch/{job}", {})
            faults = 0 if data.get("status") else faults + 1
            if data.get("status") == "failed" and data.get("id") == "" and early < 6:
                early += 1
            elif data.get("status") in ("success", "failed", "error"):
                state.update(data)
                event.set()
        event.set()

    async def generate(prompt, face_image, seed, **kw):
        data = await post("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}})
        if data.get("status") == "processing" and data.get("id"):
            job, data, event = data["id"], {}, asyncio.Event()
            task = asyncio.create_task(poll(job, data, event))
            background.add(task)
            task.add_done_callback(background.discard)
            try:
                await asyncio.wait_for(event.wait(), 40)
            except asyncio.TimeoutError:
                raise HeadshotError(f"job {job}: late") from None
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        raise HeadshotError(str(data.get("message", "no result")).replace(key, "***"))

    return generate
''', 'ok', 'tasks_left > 0', kind='tasks')
twin('truncates_prompt', '47', 'cuts the prompt to 77 characters without a word', 'long prompts lose their end',
     [('        missing = {"prompt"', '        body["prompt"] = body.get("prompt", "")[:77]\n        missing = {"prompt"')], 'ok', 'len(run.submits[0][1]["prompt"]) == 77', fields={'prompt': 'long ' * 40})
twin('form_encoded_body', '03', 'data= instead of json=: the body goes out form-encoded', 'Invalid API Request',
     [('root + "flux_headshot", json=body, timeout=20', 'root + "flux_headshot", data=body, timeout=20')], 'ok', 'out.error is not None and not isinstance(run.submits[0][1], dict)')
twin('json_in_json', '13', 'json=json.dumps(body): the body is a JSON string that holds JSON', 'Invalid API Request',
     [('import asyncio\n', 'import asyncio\nimport json\n'), ('json=body)).json()', 'json=json.dumps(body))).json()')], 'ok', 'out.error is not None and isinstance(run.submits[0][1], str)')
twin('retries_refusals', '03', 'the submit session retries too, refusals with 4xx included', 'a wrong key is tried five times',
     [('once, again = _session(Retry(0, redirect=False)), _session(fetch_retry)',
       'submit_retry = Retry(4, backoff_factor=0.1, status_forcelist=(400, 401, 402, 429), allowed_methods=None, redirect=False, raise_on_status=False)\n        once, again = _session(submit_retry), _session(fetch_retry)')],
     'error401', 'len(run.submits) > 1')
twin('hammers_after_429', '42', 'after a refused fetch it goes round at once, without the pause', 'a burst of fetches just when the API asks for quiet',
     [('                    if trouble > 5:\n                        raise HeadshotError(f"job {job} cannot be fetched") from None\n', '                    if trouble > 5:\n                        raise HeadshotError(f"job {job} cannot be fetched") from None\n                    continue\n')],
     'rate', 'len(run.fetches) > 1 and run.fetches[1][2] - run.fetches[0][2] < 0.2')
twin('resubmits_when_rate_limited', '52', 'a rate limit is answered with nine more submits in a row; retry_after is not looked at', 'the account is blocked longer',
     [('                code, data = post("flux_headshot", fields)\n', '                for _ in range(10):\n                    code, data = post("flux_headshot", fields)\n                    if "rate limit" not in message(data).lower():\n                        break\n')],
     'ratelimit', 'len(run.submits) > 2')
twin('download_once', '37', 'tries each download once and throws the result away when the link is not alive yet', 'a paid picture is lost because it was asked for half a second early',
     [('range(4)', 'range(1)'), ('        result.content = {link: download(link) for link in result}\n', '        result.content = {link: download(link) for link in result}\n        if None in result.content.values():\n            raise HeadshotError("download failed")\n')],
     'latelinks', 'out.error is not None')
twin('id_formatted_as_number', '01', '%d in the fetch address', 'TypeError when the id comes as text',
     [('"/image_editing/fetch/%s" % job', '"/image_editing/fetch/%d" % job')], 'noeta', 'type(out.error).__name__ == "TypeError"')
twin('early_not_found_is_final', '19', 'the first "Request not found" ends the call', 'a live job is given up because it was asked for too early',
     [('            if status == "failed" and "not found" in message(reply).lower():\n                seen["unknown"] += 1\n                if seen["unknown"] <= 5:\n                    raise NotYet\n', '')], 'early', 'out.error is not None')
twin('needs_fetch_result', '44', 'reads fetch_result before it looks at the status', 'KeyError when the job is finished at once',
     [('        if reply.get("status") == "success" and reply.get("output"):\n            return reply["output"]\n        if reply.get("status") != "processing":', '        reply["fetch_result"]\n        if reply.get("status") == "success" and reply.get("output"):\n            return reply["output"]\n        if reply.get("status") != "processing":')],
     'instant', 'type(out.error).__name__ == "KeyError"')
twin('none_at_the_deadline', '20', 'the None that backoff gives at the end of max_time is returned', 'the caller gets None instead of an error',
     [('            if links is None:\n                raise HeadshotError(f"job {job} not done after 35 s")\n', '')], 'forever', 'out.finished and out.error is None and out.value is None', limit=42)
twin('errors_become_empty', '33', 'every exception is caught and turned into an empty list', 'a wrong key looks like "no pictures"',
     [('def make(base_url, key):\n    return functools.partial(generate, functools.partial(call, base_url, key))',
       'def make(base_url, key):\n    def safe(**kw):\n        try:\n            return generate(functools.partial(call, base_url, key), **kw)\n        except Exception:\n            return []\n\n    return safe')],
     'error200', 'out.error is None and out.value == []')
twin('body_in_exception', '37', 'the whole request body stands in the exception, key included', 'the key in every error report',
     [('                raise HeadshotError(str(data.get("message")).replace(key, "***"))\n', '                raise HeadshotError(f"refused: {str(data.get(\'message\')).replace(key, \'***\')}, request was {dict(body, key=key)}")\n')], 'error200', 'KEY in out.text')
twin('library_errors_escape', '01', 'errors of requests are not caught at the submit', 'ConnectionError of requests reaches the caller',
     [('''        try:
            reply = post("/image_editing/flux_headshot", body).json()
        except (requests.RequestException, ValueError):
            # the job may or may not exist: sending it again could cost twice
            raise HeadshotError("no usable answer to the submit") from None
''', '        reply = post("/image_editing/flux_headshot", body).json()\n')], 'submitdrop', 'out.error and type(out.error).__module__.startswith("requests")')
twin('deadline_starts_again', '39', 'the deadline is set anew with every poll', 'it never passes',
     [('            time.sleep(0.5)\n            try:', '            time.sleep(0.5)\n            until = time.monotonic() + seconds\n            try:')], 'forever', 'not out.finished', limit=32)
twin('believes_any_eta', '43', 'sleeps the eta whatever it is', 'an eta of a day puts the caller to sleep for a day',
     [('        time.sleep(believable(reply.get("eta"), 20))\n', '        time.sleep(max(0, float(reply.get("eta", 1))))\n')], 'hugeeta', 'not out.finished', limit=26)
twin('negative_eta_crashes', '30', 'the lower bound of the pause is missing', 'time.sleep(-3): ValueError after the paid submit',
     [('max(0.2, min(reply.eta or 0.5, 5))', 'min(reply.eta or 0.5, 5)')], 'eta-negative', 'out.error is not None')
twin('cache_without_seed', '32', 'the seed is not part of the name in the cache', 'another seed gets the old picture',
     [('name = json.dumps(fields, sort_keys=True, default=str)', 'name = json.dumps({k: v for k, v in fields.items() if k != "seed"}, sort_keys=True, default=str)')], 'ok', 'len(run.submits) == 1', kind='two', fields={'_second': {'seed': 8}, '_keep': True})
twin('error_is_polled_on', '57', '`error` in a fetch reply counts as not finished', 'a suspended account is asked sixty times',
     [('if status in ("success", "failed", "error"):\n            raise tell(data, "no output")', 'if status in ("success", "failed"):\n            raise tell(data, "no output")')], 'fetcherror', 'not out.finished', limit=10)
twin('unknown_word_crashes', '46', 'looks the status up in a table that knows only `processing`', 'KeyError when the API says "queued"',
     [('            return self.broken(reply.get("message", "no output"))\n        return State.WAITING\n', '            return self.broken(reply.get("message", "no output"))\n        return {"processing": State.WAITING}[status]\n')], 'word', 'type(out.error).__name__ == "KeyError"')
twin('zero_is_dropped', '64', 'drops every falsy argument, also seed=0', 'the API makes up a seed; the picture cannot be repeated',
     [('if v is not None}}', 'if v}}')], 'ok', '"seed" not in run.submits[0][1]', fields={'seed': 0})
twin('scale_cut_to_int', '24', 'guidance_scale is cut to an integer', '7.5 becomes 7',
     [('guidance_scale=guidance_scale,\n                        negative_prompt', 'guidance_scale=None if guidance_scale is None else int(guidance_scale),\n                        negative_prompt')], 'ok', 'run.submits[0][1]["guidance_scale"] == 7')
twin('prompt_is_quoted', '41', 'the prompt is URL-quoted although it travels in JSON', 'the model paints percent signs',
     [('import urllib3\n', 'import urllib3\nfrom urllib.parse import quote\n'), ('"prompt": prompt,', '"prompt": quote(prompt),')], 'ok', '"%" in run.submits[0][1]["prompt"]')
twin('overrides_webhook', '36', 'its own receiver always replaces the webhook of the caller', 'the caller\'s system never hears of the job',
     [('webhook=webhook or bell.url)', 'webhook=bell.url)')], 'ok', 'run.submits[0][1]["webhook"] != "http://127.0.0.1:9/mine"', fields={'webhook': 'http://127.0.0.1:9/mine'})
twin('track_id_as_text', '49', 'track_id is sent as text', 'the document says integer',
     [('        end = time.monotonic() + DEADLINE\n', '        if "track_id" in body:\n            body["track_id"] = str(body["track_id"])\n        end = time.monotonic() + DEADLINE\n')], 'ok', 'run.submits[0][1]["track_id"] == "42"')
twin('html_crashes_submit', '10', 'the JSON error of a gateway page is not caught at the submit', 'JSONDecodeError reaches the caller',
     [('        except (httpx.HTTPError, ValueError) as exc:\n            raise HeadshotError(f"submit: {type(exc).__name__}") from None', '        except httpx.HTTPError as exc:\n            raise HeadshotError(f"submit: {type(exc).__name__}") from None')], 'submit500', 'type(out.error).__name__ == "JSONDecodeError"')
twin('null_reply_crashes', '42', 'a fetch reply that is no object is not expected', 'AttributeError on `null`',
     [('''                except (httpx.HTTPError, ValueError, AttributeError):
                    status = None''', '''                except (httpx.HTTPError, ValueError):
                    status = None''')], 'nullfetch', 'type(out.error).__name__ == "AttributeError"')
twin('milliseconds', '22', 'the deadline is computed in milliseconds of a clock that counts seconds', 'gives up after the first poll',
     [('end = time.monotonic() + 45\n', 'end = time.monotonic() + 45 / 1000\n')], 'ok', 'out.error is not None')
twin('naive_and_aware_time', '17', 'the deadline is a naive datetime, the clock an aware one', 'TypeError at the first comparison, after the paid submit',
     [('deadline = _now() + timedelta(minutes=1)', 'deadline = datetime.utcnow() + timedelta(minutes=1)')], 'ok', 'type(out.error).__name__ == "TypeError"')
twin('starts_again_when_fetch_fails', '63', 'when the fetches keep failing it starts the generation again', 'a second paid job while the first one may be done',
     [('                if bad > 5:\n                    raise HeadshotError("fetch failed too often", job) from None\n', '                if bad > 5:\n                    return generate(prompt, face_image, seed, **kw)\n')], 'dead', 'len(run.submits) > 1')
twin('first_link_only', '58', 'returns the first link as a text instead of the list', 'a caller who loops over the result gets letters; further samples are lost',
     [('        return data["output"]\n', '        return data["output"][0]\n')], 'ok', 'isinstance(out.value, str)')
twin('slot_not_returned', '52', 'the place in the queue is not given back when the call fails', 'after five refused calls every further call hangs',
     [('        try:\n            yield\n        finally:\n            places.release()', '        yield\n        places.release()')], 'error200', 'not last.finished', kind='repeat6', limit=4)
twin('key_sent_with_downloads', '37', 'the key is added to the address of every download', 'the key reaches the host of the pictures and its logs',
     [('r = requests.get(link, timeout=3)       # no key here', 'r = requests.get(link, params={"key": key}, timeout=3)')], 'ok', 'any(KEY in p for p in run.download_paths)')
twin('blocks_the_loop', '24', 'time.sleep in a coroutine', 'the whole event loop stands still while it waits',
     [('import asyncio\n', 'import asyncio\nimport time\n'), ('            await asyncio.sleep(min(delay, left))\n', '            time.sleep(min(delay, left))\n')], 'slow', 'lag > 0.2', kind='loop', limit=20)
twin('tenacity_around_everything', '19', 'tenacity is put around the whole generation', 'three paid submits when the gateway answers 502',
     [('    def generate(prompt, face_image, seed, **others):', '    @tenacity.retry(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_fixed(0.2), reraise=True)\n    def generate(prompt, face_image, seed, **others):')], 'submit500', 'len(run.submits) > 1')
twin('backoff_on_submit', '20', 'backoff.on_exception repeats the submit after a broken connection', 'the API may have accepted the first one: paid twice',
     [('                reply = client.post(f"{root}/image_editing/flux_headshot", json=payload).json()\n', '                send = backoff.on_exception(backoff.constant, httpx.TransportError, interval=0.2, max_tries=3, logger=None)(client.post)\n                reply = send(f"{root}/image_editing/flux_headshot", json=payload).json()\n')], 'submitdrop', 'len(run.submits) > 1')
twin('transport_repeats_submits', '23', 'the retrying transport does not look at the path', 'a submit that met a 502 goes out four times',
     [('attempts = self.attempts if "/fetch/" in request.url.path else 1', 'attempts = self.attempts')], 'submit500', 'len(run.submits) > 1')
twin('wrong_key_name', '21', 'the fetch sends the key as "api_key"', 'Invalid API key for a job that was accepted a second ago',
     [('post("fetch/%s" % job, {"key": key})', 'post("fetch/%s" % job, {"api_key": key})')], 'ok', 'out.error is not None and len(run.fetches) == 1')
twin('images_fetch_path', '56', 'asks under /images/fetch, an address of another family that this contract does not have', 'the fetch answers 404 until the client gives up',
     [('/image_editing/{path}"', '/{path}"'), ('post("flux_headshot"', 'post("image_editing/flux_headshot"'), ('post(f"fetch/{first[\'id\']}")', 'post(f"images/fetch/{first[\'id\']}")')], 'ok', 'not run.fetches and out.error is not None', limit=12)
twin('watchdog_swallowed', '12', 'the errors that the group collected are dropped', 'a failed or late job returns None',
     [('            raise error\n', '            return None\n')], 'failed', 'out.error is None and out.value is None')
twin('curl_key_on_command_line', '54', 'the body with the key is an argument of curl', 'every user of the machine can read the key with ps',
     [('"--data-binary", "@-",', '"--data-binary", json.dumps(dict(body, key=key)),'), ('input=json.dumps(dict(body, key=key)).encode(), ', '')], 'slow', 'KEY in ps', kind='ps', limit=15)
alone('bare_except_eats_cancel', """
\"\"\"aiohttp with asyncio.wait_for around a polling coroutine.

BUG: a bare except in the polling loop also catches CancelledError, so wait_for can not stop it
SYMPTOM: the deadline of three seconds never ends a job that never ends
\"\"\"
import asyncio

import aiohttp


class HeadshotError(Exception):
    pass


def make(base_url, key):
    url = base_url.rstrip("/") + "/image_editing/"

    async def post(session, path, body):
        async with session.post(url + path, json=dict(body, key=key), allow_redirects=False) as r:
            return await r.json(content_type=None)

    async def poll(session, job):
        early = 0
        while True:
            try:
                await asyncio.sleep(0.5)
                data = await post(session, "fetch/%s" % job, {})
                status = data["status"]
            except:
                continue
            if status == "success" and data.get("output"):
                return data["output"]
            if status == "failed" and data.get("id") == "" and early < 6:
                early += 1
            elif status in ("success", "failed", "error"):
                raise HeadshotError(str(data.get("message")).replace(key, "***"))

    async def generate(prompt, face_image, seed, **kw):
        kw = {k: v for k, v in kw.items() if v is not None}
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8)) as session:
            try:
                data = await post(session, "flux_headshot", dict(kw, prompt=prompt, face_image=face_image, seed=seed))
                status = data["status"]
            except (aiohttp.ClientError, asyncio.TimeoutError, ValueError, LookupError, TypeError):
                raise HeadshotError("submit failed") from None
            if status == "success" and data.get("output"):
                return data["output"]
            if status != "processing" or not data.get("id"):
                raise HeadshotError(str(data.get("message")).replace(key, "***"))
            try:
                return await asyncio.wait_for(poll(session, data["id"]), 3)
            except asyncio.TimeoutError:
                raise HeadshotError("three seconds are over") from None

    return generate
""", 'forever', 'not out.finished', limit=10)
alone('compares_with_is', """
\"\"\"requests, procedural, ten lines of polling.

BUG: the status is compared with `is`; a text parsed from JSON is never the same object as a literal
SYMPTOM: a finished job is not recognised, every call ends in the deadline
\"\"\"
import time
import requests

DONE = "success"


class Failed(Exception):
    pass


def make(base_url, key):
    root = base_url.rstrip("/") + "/image_editing/"

    def send(path, fields):
        try:
            return requests.post(root + path, json={"key": key, **fields}, timeout=8, allow_redirects=False).json()
        except (requests.RequestException, ValueError):
            return {}

    def generate(**fields):
        reply = send("flux_headshot", {k: v for k, v in fields.items() if v is not None})
        job = reply.get("id")
        if not job:
            raise Failed(str(reply.get("message")).replace(key, "***"))
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            if reply.get("status") is DONE and reply.get("output"):
                return reply["output"]
            if reply.get("status") in ("failed", "error") and reply.get("id"):
                raise Failed(str(reply.get("message")).replace(key, "***"))
            time.sleep(0.5)
            reply = send("fetch/%s" % job, {})
        raise Failed("job %s: deadline" % job)

    return generate
""", 'ok', 'out.error is not None')
alone('two_clocks', """
\"\"\"urllib3; small state object; deadline in an attribute.

BUG: the deadline is set with time.time() and compared with time.monotonic()
SYMPTOM: the deadline of four seconds is never reached
\"\"\"
import json
import time

import urllib3


class Stopped(Exception):
    pass


class Attempt:
    seconds = 4

    def __init__(self, pool, root, key):
        self.pool, self.root, self.key = pool, root, key
        self.deadline = time.time() + self.seconds
        self.early = self.bad = 0

    def post(self, path, **fields):
        r = self.pool.request("POST", self.root + path, json={**fields, "key": self.key}, redirect=False, retries=False, timeout=8)
        data = json.loads(r.data)
        if not isinstance(data, dict):
            raise ValueError
        return data

    def expired(self):
        return time.monotonic() > self.deadline

    def follow(self, job):
        while not self.expired():
            time.sleep(0.4)
            try:
                data = self.post(f"fetch/{job}")
            except (urllib3.exceptions.HTTPError, ValueError):
                self.bad += 1
                if self.bad > 8:
                    raise Stopped("fetch failed") from None
                continue
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") == "failed" and data.get("id") == "" and self.early < 6:
                self.early += 1
            elif data.get("status") in ("failed", "error", "success"):
                raise Stopped(str(data.get("message")).replace(self.key, "***"))
        raise Stopped("too late")


def make(base_url, key):
    pool = urllib3.PoolManager()

    def generate(prompt, face_image, seed, **kw):
        attempt = Attempt(pool, base_url.rstrip("/") + "/image_editing/", key)
        try:
            data = attempt.post("flux_headshot", prompt=prompt, face_image=face_image, seed=seed, **{k: v for k, v in kw.items() if v is not None})
        except (urllib3.exceptions.HTTPError, ValueError):
            raise Stopped("submit failed") from None
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        if data.get("status") != "processing" or not data.get("id"):
            raise Stopped(str(data.get("message")).replace(key, "***"))
        return attempt.follow(data["id"])

    return generate
""", 'forever', 'not out.finished', limit=12)
alone('impatient', """
\"\"\"httpx, three polls with growing pauses.

BUG: allows the job one second in all, whatever eta the API announced
SYMPTOM: jobs that take their announced time are given up although they are paid
\"\"\"
import time

import httpx


class TooSlow(Exception):
    pass


def make(base_url, key):
    def call(client, path, fields):
        try:
            reply = client.post(path, json={**fields, "key": key}).json()
        except (httpx.HTTPError, ValueError):
            return {}
        return reply if isinstance(reply, dict) else {}

    def generate(prompt, face_image, seed, **kw):
        with httpx.Client(base_url=base_url.rstrip("/") + "/image_editing/", timeout=8) as client:
            reply = call(client, "flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}})
            job = reply.get("id")
            for pause in (0, 0.2, 0.3, 0.5):
                time.sleep(pause)
                if pause:
                    reply = call(client, f"fetch/{job}", {})
                if reply.get("status") == "success" and reply.get("output"):
                    return reply["output"]
                if reply.get("status") == "error" or not job:
                    raise TooSlow(str(reply.get("message")).replace(key, "***"))
            raise TooSlow(f"job {job} was not ready")

    return generate
""", 'long', 'out.error is not None')
alone('braces_in_path', """
\"\"\"requests.Session in a class, type hints.

BUG: an f is missing before the text: the fetch goes to the literal path /fetch/{job}
SYMPTOM: every slow job ends as "Request not found"
\"\"\"
import time
from typing import Any, Dict, List

import requests


class HeadshotError(RuntimeError):
    pass


class Client:
    def __init__(self, base_url: str, key: str) -> None:
        self.base = base_url.rstrip("/")
        self._key = key
        self._http = requests.Session()

    def _post(self, path: str, fields: Dict[str, Any]) -> Dict[str, Any]:
        try:
            reply = self._http.post(self.base + path, json={**fields, "key": self._key}, timeout=9, allow_redirects=False).json()
        except (requests.RequestException, ValueError) as exc:
            raise HeadshotError(type(exc).__name__) from None
        if not isinstance(reply, dict):
            raise HeadshotError("unexpected reply")
        return reply

    def generate(self, prompt: str, face_image: str, seed: int, **options: Any) -> List[str]:
        reply = self._post("/image_editing/flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed,
                                                            **{k: v for k, v in options.items() if v is not None}})
        job = reply.get("id")
        for attempt in range(40):
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if reply.get("status") in ("failed", "error") and attempt > 3:
                raise HeadshotError(str(reply.get("message")).replace(self._key, "***"))
            if not job:
                raise HeadshotError(str(reply.get("message")).replace(self._key, "***"))
            time.sleep(0.5)
            reply = self._post("/image_editing/fetch/{job}", {})
        raise HeadshotError(f"job {job} is late")


def make(base_url: str, key: str):
    return Client(base_url, key).generate
""", 'ok', 'out.error is not None and any("job" in f[3] for f in run.fetches)')
alone('sleep_not_awaited', """
\"\"\"httpx async, counted polls.

BUG: asyncio.sleep is called but not awaited
SYMPTOM: the polls follow each other without any pause
\"\"\"
import asyncio
import warnings

import httpx

warnings.filterwarnings("ignore", message="coroutine 'sleep' was never awaited")


class HeadshotError(Exception):
    pass


def make(base_url, key):
    async def generate(prompt, face_image, seed, **fields):
        async with httpx.AsyncClient(base_url=base_url, timeout=8) as http:
            async def post(path, body):
                try:
                    reply = (await http.post("/image_editing/" + path, json={**body, "key": key})).json()
                except (httpx.HTTPError, ValueError):
                    return {}
                return reply if isinstance(reply, dict) else {}

            reply = await post("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in fields.items() if v is not None}})
            job = reply.get("id")
            for _ in range(600):
                if reply.get("status") == "success" and reply.get("output"):
                    return reply["output"]
                if reply.get("status") in ("error", "success") or not job or (reply.get("status") == "failed" and reply.get("id")):
                    raise HeadshotError(str(reply.get("message")).replace(key, "***"))
                asyncio.sleep(0.5)
                reply = await post(f"fetch/{job}", {})
            raise HeadshotError(f"job {job}: not ready")

    return generate
""", 'forever', 'len(run.fetches) > 60', limit=4)
alone('no_content_type', """
\"\"\"requests with data=json.dumps(...), because an example on some page did it so.

BUG: the Content-Type header is missing
SYMPTOM: a strict server answers "Invalid API Request"
\"\"\"
import json
import time

import requests


class HeadshotError(Exception):
    pass


def make(base_url, key):
    def api(path, **fields):
        fields["key"] = key
        try:
            r = requests.post("%s/image_editing/%s" % (base_url.rstrip("/"), path), data=json.dumps(fields), timeout=8, allow_redirects=False)
            return r.json() if r.status_code < 500 else None
        except (requests.RequestException, ValueError):
            return None

    def generate(prompt, face_image, seed, **options):
        reply = api("flux_headshot", prompt=prompt, face_image=face_image, seed=seed, **{k: v for k, v in options.items() if v is not None})
        if not isinstance(reply, dict):
            raise HeadshotError("submit failed")
        job, nothing, early, end = reply.get("id"), 0, 0, time.monotonic() + 40
        while time.monotonic() < end:
            if isinstance(reply, dict):
                nothing = 0
                if reply.get("status") == "success" and reply.get("output"):
                    return reply["output"]
                if reply.get("status") == "failed" and job and reply.get("id") == "" and early < 6:
                    early += 1
                elif reply.get("status") in ("success", "failed", "error") or not job:
                    raise HeadshotError(str(reply.get("message")).replace(key, "***"))
            else:
                nothing += 1
                if nothing > 5:
                    raise HeadshotError("no answers")
            time.sleep(0.5)
            reply = api("fetch/%s" % job)
        raise HeadshotError("job %s: deadline" % job)

    return generate
""", 'ok', '"application/json" not in str(run.submits[0][3])')
alone('error_lost_in_thread', """
\"\"\"A polling thread and an Event; urllib3.

BUG: an exception in the thread ends the thread without setting the Event
SYMPTOM: a failed job is reported only at the deadline, as a time-out, and its reason is lost
\"\"\"
import threading
import time

import urllib3


class HeadshotError(Exception):
    pass


def make(base_url, key):
    http = urllib3.PoolManager(retries=False, timeout=8.0)

    def post(path, fields):
        r = http.request("POST", f"{base_url.rstrip('/')}/image_editing/{path}", json={**fields, "key": key}, redirect=False)
        data = r.json()
        if not isinstance(data, dict):
            raise ValueError("no object")
        return data

    class Worker(threading.Thread):
        def __init__(self, job):
            super().__init__(daemon=True)
            self.job, self.finished, self.stop, self.links = job, threading.Event(), threading.Event(), None

        def run(self):
            early = bad = 0
            while not self.stop.wait(0.5):
                try:
                    data = post(f"fetch/{self.job}", {})
                except (urllib3.exceptions.HTTPError, ValueError):
                    bad += 1
                    if bad > 6:
                        return
                    continue
                if data.get("status") == "success" and data.get("output"):
                    self.links = data["output"]
                    self.finished.set()
                    return
                if data.get("status") == "failed" and data.get("id") == "" and early < 6:
                    early += 1
                elif data.get("status") in ("success", "failed", "error"):
                    raise SystemExit(str(data.get("message")).replace(key, "***"))

    def generate(prompt, face_image, seed, **kw):
        try:
            data = post("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}})
        except (urllib3.exceptions.HTTPError, ValueError):
            raise HeadshotError("submit failed") from None
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        if data.get("status") != "processing" or not data.get("id"):
            raise HeadshotError(str(data.get("message")).replace(key, "***"))
        worker = Worker(data["id"])
        worker.start()
        try:
            if not worker.finished.wait(12):
                raise HeadshotError(f"job {worker.job}: no result in 12 seconds")
            return worker.links
        finally:
            worker.stop.set()

    return generate
""", 'failed', 'out.seconds > 10 and "could not be made" not in out.text', limit=20)
alone('seed_overwritten', """
\"\"\"httpx; fills in a random seed "if there is none".

BUG: the test is the wrong way round: a given seed is replaced by a random one
SYMPTOM: the same call gives another picture every time
\"\"\"
import random
import time

import httpx


class HeadshotError(Exception):
    pass


def make(base_url, key):
    def generate(prompt, face_image, seed=None, **kw):
        seed = seed if seed is None else random.randrange(2**31)
        fields = {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}}
        with httpx.Client(base_url=base_url.rstrip("/") + "/image_editing/", timeout=9) as http:
            def ask(path, body):
                try:
                    data = http.post(path, json={"key": key, **body}).json()
                except (httpx.HTTPError, ValueError):
                    return None
                return data if isinstance(data, dict) else None

            data = ask("flux_headshot", fields)
            if data is None:
                raise HeadshotError("submit failed")
            job, holes, early = data.get("id"), 0, 0
            for _ in range(80):
                if data is not None:
                    if data.get("status") == "success" and data.get("output"):
                        return data["output"]
                    if data.get("status") == "failed" and job and data.get("id") == "" and early < 6:
                        early += 1
                    elif data.get("status") in ("success", "failed", "error") or not job:
                        raise HeadshotError(str(data.get("message")).replace(key, "***"))
                    holes = 0
                else:
                    holes += 1
                    if holes > 5:
                        raise HeadshotError("fetch failed")
                time.sleep(0.5)
                data = ask(f"fetch/{job}", {})
            raise HeadshotError("too slow")

    return generate
""", 'ok', 'run.submits[0][1]["seed"] != 7')
alone('asyncio_run_inside', """
\"\"\"An async callable for which somebody wrapped the old script.

BUG: the coroutine calls asyncio.run, which is not allowed inside a running loop
SYMPTOM: RuntimeError for every caller that awaits it
\"\"\"
import asyncio

import httpx


class HeadshotError(Exception):
    pass


def make(base_url, key):
    async def work(fields):
        async with httpx.AsyncClient(base_url=base_url, timeout=8) as http:
            async def ask(path, body):
                try:
                    data = (await http.post("/image_editing/" + path, json={**body, "key": key})).json()
                except (httpx.HTTPError, ValueError):
                    return {}
                return data if isinstance(data, dict) else {}

            data = await ask("flux_headshot", fields)
            job = data.get("id")
            for _ in range(80):
                if data.get("status") == "success" and data.get("output"):
                    return data["output"]
                if data.get("status") in ("error", "success") or not job or (data.get("status") == "failed" and data.get("id")):
                    raise HeadshotError(str(data.get("message")).replace(key, "***"))
                await asyncio.sleep(0.5)
                data = await ask(f"fetch/{job}", {})
            raise HeadshotError("not ready")

    async def generate(prompt, face_image, seed, **kw):
        job = work({"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}})
        try:
            return asyncio.run(job)
        finally:
            job.close()

    return generate
""", 'ok', 'type(out.error).__name__ == "RuntimeError"')
alone('alarm_needs_main_thread', """
\"\"\"signal.setitimer as the deadline, requests for HTTP.

BUG: signals can be set in the main thread only
SYMPTOM: ValueError in every worker thread of a web application
\"\"\"
import signal
import time

import requests


class Expired(Exception):
    pass


def make(base_url, key):
    root = base_url.rstrip("/") + "/image_editing/"

    def post(path, fields):
        try:
            data = requests.post(root + path, json=dict(fields, key=key), timeout=8, allow_redirects=False).json()
        except (requests.RequestException, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    def ring(signum, frame):
        raise Expired("forty seconds are over")

    def generate(prompt, face_image, seed, **kw):
        old = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 40)
        try:
            data = post("flux_headshot", dict({k: v for k, v in kw.items() if v is not None}, prompt=prompt, face_image=face_image, seed=seed))
            job, early = data.get("id"), 0
            while not (data.get("status") == "success" and data.get("output")):
                if data.get("status") == "failed" and job and data.get("id") == "" and early < 6:
                    early += 1
                elif data.get("status") in ("success", "failed", "error") or not job:
                    raise Expired(str(data.get("message")).replace(key, "***"))
                time.sleep(0.5)
                data = post("fetch/%s" % job, {})
            return data["output"]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, old)

    return generate
""", 'ok', 'type(out.error).__name__ == "ValueError" and not run.submits')
alone('client_closed_after_first', """
\"\"\"One httpx.Client made in make(), used with `with` in every call.

BUG: the `with` block closes the shared client at the end of the first call
SYMPTOM: RuntimeError in every later call
\"\"\"
import time

import httpx


class HeadshotError(Exception):
    pass


def make(base_url, key):
    client = httpx.Client(base_url=base_url, timeout=8)

    def ask(path, body):
        try:
            data = client.post("/image_editing/" + path, json={**body, "key": key}).json()
        except (httpx.HTTPError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    def generate(prompt, face_image, seed, **kw):
        with client:
            data = ask("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}})
            job, early = data.get("id"), 0
            for _ in range(80):
                if data.get("status") == "success" and data.get("output"):
                    return data["output"]
                if data.get("status") == "failed" and job and data.get("id") == "" and early < 6:
                    early += 1
                elif data.get("status") in ("success", "failed", "error") or not job:
                    raise HeadshotError(str(data.get("message")).replace(key, "***"))
                time.sleep(0.5)
                data = ask(f"fetch/{job}", {})
            raise HeadshotError("not ready")

    return generate
""", 'ok', 'type(out.error).__name__ == "RuntimeError"', kind='two')
alone('loop_bound_client', """
\"\"\"One httpx.AsyncClient made in make() for all calls.

BUG: the client keeps connections of the first event loop and is used again under the next one
SYMPTOM: the second asyncio.run fails with "Event loop is closed"
\"\"\"
import asyncio

import httpx


class HeadshotError(Exception):
    pass


def make(base_url, key):
    client = httpx.AsyncClient(base_url=base_url, timeout=8)

    async def ask(path, body):
        try:
            data = (await client.post("/image_editing/" + path, json={**body, "key": key})).json()
        except (httpx.HTTPError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    async def generate(prompt, face_image, seed, **kw):
        data = await ask("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}})
        job, early = data.get("id"), 0
        for _ in range(80):
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") == "failed" and job and data.get("id") == "" and early < 6:
                early += 1
            elif data.get("status") in ("success", "failed", "error") or not job:
                raise HeadshotError(str(data.get("message")).replace(key, "***"))
            await asyncio.sleep(0.5)
            data = await ask(f"fetch/{job}", {})
        raise HeadshotError("not ready")

    return generate
""", 'ok', 'out.error is not None and "loop" in str(out.error)', kind='two')
alone('expects_objects', """
\"\"\"urllib, written for another family of this vendor.

BUG: takes the pictures for objects with a `url` member
SYMPTOM: TypeError after a successful and paid job
\"\"\"
import json
import time
import urllib.error
import urllib.request


class HeadshotError(Exception):
    pass


def make(base_url, key):
    def post(path, body):
        request = urllib.request.Request(f"{base_url.rstrip('/')}/image_editing/{path}", json.dumps({**body, "key": key}).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=8) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                return json.loads(answer.read() or b"{}")

    def generate(prompt, face_image, seed, **kw):
        try:
            reply = post("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}})
        except (OSError, ValueError):
            raise HeadshotError("submit failed") from None
        job, bad, early = reply.get("id"), 0, 0
        for _ in range(80):
            if reply.get("status") == "success":
                return [picture["url"] for picture in reply["output"]]
            if reply.get("status") == "failed" and job and reply.get("id") == "" and early < 6:
                early += 1
            elif reply.get("status") in ("failed", "error") or not job:
                raise HeadshotError(str(reply.get("message")).replace(key, "***"))
            time.sleep(0.5)
            try:
                reply = post(f"fetch/{job}", {})
            except (OSError, ValueError):
                reply, bad = {}, bad + 1
                if bad > 6:
                    raise HeadshotError("fetch failed") from None
        raise HeadshotError("not ready")

    return generate
""", 'ok', 'type(out.error).__name__ == "TypeError"')
twin('faults_never_forgiven', '04', 'failed fetches are counted over the whole life of the job, good ones in between do not reset the counter', 'a long job on a slightly flaky line is given up',
     [('            lost = 0\n            status', '            status')], 'flaky', 'out.error is not None', limit=20)
twin('queue_get_for_ever', '06', 'get() without time-out; the worker ends at the deadline without putting anything', 'the caller hangs after the deadline',
     [('box.get(timeout=max(0.01, end - time.monotonic()))', 'box.get()')], 'forever', 'not out.finished', limit=42)
twin('stop_flag_never_set', '07', 'the stop flag is not set, so leaving the `with` block waits for the polling thread', 'the time-out of the future does not end the call',
     [('            finally:\n                stop.set()\n', '            finally:\n                pass\n')], 'forever', 'not out.finished', limit=37)
twin('key_echo', '09', 'what the server echoes is not redacted', 'the key in the exception', [('            reply["message"] = reply["message"].replace(key, "*")\n', '            reply["message"] = reply["message"].strip()\n')], 'error200', 'KEY in out.text')
twin('not_found_is_always_early', '11', '"Request not found" counts as too early however often it comes', 'a lost job is polled until the deadline',
     [('if reply.get("id") or early > 5:', 'if reply.get("id"):')], 'alwaysunknown', 'not out.finished', limit=15)
twin('seed_not_sent', '14', 'the seed is a named argument and is forgotten in the body', 'another picture every time', [('face_image=face_image, seed=seed,\n', 'face_image=face_image,\n')], 'ok', '"seed" not in run.submits[0][1]')
twin('reason_lost', '15', 'the body of an HTTP error is not read', '"HTTPError" instead of "Invalid API key"',
     [('            return exc.code, json.loads(exc.read().decode("utf-8"))', '            raise')], 'error401', 'out.error and "Invalid API key" not in str(out.error)')
twin('deadline_leaves_name_unbound', '25', 'it is not looked at whether the cancel scope fired', 'UnboundLocalError at the deadline',
     [('            if scope.cancelled_caught:\n                raise HeadshotError(f"job {reply[\'id\']}: 40 seconds are over")\n', '')], 'forever', 'type(out.error).__name__ == "UnboundLocalError"', limit=46)
twin('checks_id_in_every_reply', '26', 'expects the id in every fetch reply, also while processing', 'KeyError at the first poll of every slow job',
     [('            silence = 0\n', '            silence = 0\n            if str(reply["id"]) != str(job) and reply["id"] != "":\n                raise NoPicture("a reply about another job")\n')], 'ok', 'type(out.error).__name__ == "KeyError"')
twin('eta_in_milliseconds', '29', 'takes eta for milliseconds', 'polls hundreds of times a second', [('time.sleep(min(getattr(state, "eta", 0.5), 4, left))', 'time.sleep(min(getattr(state, "eta", 0.5) / 1000, 4, left))')], 'forever', 'len(run.fetches) > 60', limit=4)
twin('refusals_open_the_circuit', '31', 'refused arguments count as failures of the API', 'after five wrong calls right ones are refused too',
     [('        breaker.ok()\n        return None', '        breaker.bad() if data.get("status") == "error" else breaker.ok()\n        return None')], 'error200', 'type(last.error).__name__ == "CircuitOpen"', kind='repeat6')
twin('loop_thread_left', '59', 'the loop of the background thread is never stopped', 'one thread and one event loop more per call',
     [('        self.loop.call_soon_threadsafe(self.loop.stop)\n        self.thread.join(5)\n        self.loop.close()\n', '')], 'ok', 'threads_left > 0', kind='threads')
twin('waits_for_the_clock', '67', 'the Event is not set when the polling has won', 'every call takes the full forty seconds', [('            over.set()\n', '')], 'ok', 'not out.finished', limit=12)
twin('poller_not_restarted', '73', 'the poller thread ends without saying so', 'calls after a pause are never polled, they end in the deadline', [('                    self.thread = None\n                    return\n', '                    return\n')], 'ok', 'not out.finished and not any(f[3] == "29763509" for f in run.fetches)', kind='two_later', fields={'_keep': True})
twin('retry_after_without_limit', '76', 'Retry-After is obeyed without looking at the deadline', 'a header of a day makes the caller sleep a day',
     [('            time.sleep(min(pause, left))\n', '            time.sleep(pause)\n')], 'ratehuge', 'not out.finished', limit=66)
twin('length_of_the_text', '74', 'Content-Length counts letters, the body is sent as UTF-8', 'prompts with foreign letters arrive cut: Invalid API Request',
     [('body = json.dumps({"key": key, **fields}).encode()', 'body = json.dumps({"key": key, **fields}, ensure_ascii=False)'), ('.encode() + body)', '.encode() + body.encode())')], 'ok', 'out.error is not None and not isinstance(run.submits[0][1], dict)')
twin('limits_from_the_prose', '72', 'refuses sides under 256, a limit that only the prose knows', 'a call that the document allows is never sent', [('Field(le=1024)]', 'Field(ge=256, le=1024)]')], 'ok', 'out.error is not None and not run.submits', fields={'width': 200})
twin('downloads_before_the_end', '38', 'downloads future_links at once instead of waiting for the job', 'failures of the job are never seen; DownloadError where the links come alive late',
     [('                links = await wait(http, reply["id"])\n', '                links = reply.get("future_links", [])\n')], 'failed', 'not run.fetches')
