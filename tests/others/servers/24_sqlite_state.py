"""State in an in-memory SQLite database (autoincrement ids), Flask in one thread.
Right: the database is the only truth, queries use parameters, and the state is computed from the clock when asked."""
import json
import logging
import os
import sqlite3
import sys
import time
import uuid

from flask import Flask, Response, request

logging.getLogger("werkzeug").setLevel(logging.ERROR)
app = Flask(__name__)
db = sqlite3.connect(":memory:", check_same_thread=False)
db.execute("create table job (id integer primary key autoincrement, account text, link text, ready real, meta text)")
db.execute("insert into sqlite_sequence values ('job', 155918899)")


def reply(obj):
    return Response(json.dumps(obj).replace("/", r"\/"), content_type="application/json")


def problem(message):
    return reply({"status": "error", "message": message})


def checked():
    try:
        body = json.loads(request.get_data())
    except ValueError:
        return None, problem("Invalid API Request")
    if not isinstance(body, dict):
        return None, problem("Invalid API Request")
    if not body.get("key"):
        return None, problem("API key required")
    if os.environ.get("KEY", "any") not in ("any", body["key"]):
        return None, problem("Invalid API key")
    return body, None


@app.post("/api/v6/image_editing/flux_headshot")
def submit():
    body, bad = checked()
    if bad:
        return bad
    for name in ("prompt", "face_image"):
        if not body.get(name):
            return problem(f"The {name} field is required.")
    link = f"{request.host_url}generations/{uuid.uuid4()}-0.png"
    meta = {k: v for k, v in body.items() if k != "key"}
    with db:
        cursor = db.execute("insert into job (account, link, ready, meta) values (?, ?, ?, ?)",
                            (body["key"], link, time.time() + float(os.environ.get("JOB_SECONDS", 0.3)), json.dumps(meta)))
    return reply({"status": "processing", "tip": "", "eta": 1, "message": "Try to fetch request after seconds estimated",
                  "fetch_result": f"{request.host_url}api/v6/image_editing/fetch/{cursor.lastrowid}", "id": cursor.lastrowid, "output": [],
                  "future_links": [link], "proxy_links": [link], "meta": meta})


@app.post("/api/v6/image_editing/fetch/<number>", strict_slashes=False)
def fetch(number):
    body, bad = checked()
    if bad:
        return bad
    row = db.execute("select id, link, ready from job where id = ? and account = ?", (number, body["key"])).fetchone()
    if row is None:
        return reply({"status": "failed", "id": "", "message": "Request not found", "output": "", "tip": ""})
    if time.time() < row[2]:
        return reply({"status": "processing", "message": "try again later.", "output": "", "tip": ""})
    return reply({"status": "success", "id": row[0], "output": [row[1]]})


app.run("127.0.0.1", int(sys.argv[1]), threaded=False)
