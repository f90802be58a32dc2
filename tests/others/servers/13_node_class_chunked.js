// A class with a router table; chunked replies (no Content-Length), status codes by the prose. Started by 13_node_class_chunked.py.
'use strict';
const { createServer } = require('node:http');
const { randomUUID } = require('node:crypto');

class HttpProblem extends Error {
  constructor(code, message) { super(message); this.code = code; }
}

class Studio {
  #jobs = new Map();
  #next = 40000001;

  constructor(port) {
    this.port = port;
    this.key = process.env.KEY ?? 'any';
    this.seconds = Number(process.env.JOB_SECONDS ?? '0.3');
  }

  routes() {
    return [
      [/^\/api\/v6\/image_editing\/flux_headshot\/?$/, (b) => this.create(b)],
      [/^\/api\/v6\/image_editing\/fetch\/([^/]+)\/?$/, (b, m) => this.read(m[1])],
    ];
  }

  create(body) {
    const missing = ['prompt', 'face_image'].find((n) => body[n] === undefined || body[n] === '');
    if (missing) throw new HttpProblem(400, `The ${missing} field is required.`);
    for (const n of ['width', 'height']) {
      if (body[n] !== undefined && body[n] !== null && Number(body[n]) > 1024) throw new HttpProblem(400, `The ${n} field must not be greater than 1024.`);
    }
    const id = this.#next++;
    const url = `http://127.0.0.1:${this.port}/img/${randomUUID()}-0.png`;
    const job = { id, url, done: false };
    this.#jobs.set(String(id), job);
    setTimeout(() => { job.done = true; this.notify(body, job); }, this.seconds * 1000);
    return { status: 'processing', eta: 1, id, output: [], future_links: [url], proxy_links: [url],
      fetch_result: `http://127.0.0.1:${this.port}/api/v6/image_editing/fetch/${id}`, message: 'queued',
      meta: { prompt: body.prompt, seed: body.seed ?? Math.floor(Math.random() * 2 ** 32) } };
  }

  notify(body, job) {
    if (!body.webhook) return;
    fetch(body.webhook, { method: 'POST', headers: { 'Content-Type': 'application/json' }, signal: AbortSignal.timeout(5000),
      body: JSON.stringify({ status: 'success', id: job.id, output: [job.url], generationTime: this.seconds, track_id: body.track_id }) }).catch(() => {});
  }

  read(id) {
    const job = this.#jobs.get(id);
    if (!job) return { status: 'failed', id: '', message: 'Request not found', output: '' };
    return job.done ? { status: 'success', id: job.id, output: [job.url] } : { status: 'processing', message: 'later', output: '' };
  }

  async answer(req) {
    let text = '';
    for await (const piece of req.setEncoding('utf8')) text += piece;
    if (req.method !== 'POST') throw new HttpProblem(405, 'Only POST');
    let body;
    try { body = JSON.parse(text); } catch { throw new HttpProblem(400, 'Invalid API Request'); }
    if (Object.prototype.toString.call(body) !== '[object Object]') throw new HttpProblem(400, 'Invalid API Request');
    if (!body.key) throw new HttpProblem(401, 'API key required');
    if (this.key !== 'any' && this.key !== body.key) throw new HttpProblem(401, 'Invalid API key');
    for (const [pattern, action] of this.routes()) {
      const m = req.url.match(pattern);
      if (m) return action(body, m);
    }
    throw new HttpProblem(404, 'Unknown');
  }
}

const port = Number(process.argv[2]);
const studio = new Studio(port);
createServer(async (req, res) => {
  let code = 200, reply;
  try { reply = await studio.answer(req); } catch (e) {
    code = e.code >= 400 ? e.code : 500;
    reply = { status: 'error', message: e instanceof HttpProblem ? e.message : 'Internal server error. Please try again.' };
  }
  res.statusCode = code;
  res.setHeader('Content-Type', 'application/json');
  const text = JSON.stringify(reply);
  res.write(text.slice(0, 10));
  res.end(text.slice(10));
}).listen(port, '127.0.0.1');
