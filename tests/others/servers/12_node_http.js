// node's http module, one function, errors in HTTP 200. Started by 12_node_http.py.
const http = require('http');
const { randomUUID, randomInt } = require('crypto');

const port = Number(process.argv[2]);
const key = process.env.KEY || 'any';
const millis = 1000 * Number(process.env.JOB_SECONDS || 0.3);
const home = `http://127.0.0.1:${port}`;
const jobs = new Map();

const fail = (message) => ({ status: 'error', message });

function submit(body) {
  for (const name of ['prompt', 'face_image']) {
    if (!body[name]) return fail(`The ${name} field is required.`);
  }
  const id = randomInt(100000000, 999999999);
  const links = [`${home}/generations/${randomUUID()}-0.png`];
  jobs.set(String(id), { id, links, ready: Date.now() + millis });
  const { key: _, ...meta } = body;
  if (meta.seed == null) meta.seed = randomInt(0, 4294967295);
  return { status: 'processing', tip: 'Use the fetch API', eta: 1, message: 'Try to fetch request after seconds estimated',
    fetch_result: `${home}/api/v6/image_editing/fetch/${id}`, id, output: [], future_links: links, proxy_links: links, meta };
}

function fetchJob(id) {
  const job = jobs.get(id);
  if (!job) return { status: 'failed', id: '', message: 'Request not found', output: '', tip: '' };
  if (Date.now() < job.ready) return { status: 'processing', message: 'try again later.', output: '', tip: '' };
  return { status: 'success', id: job.id, output: job.links };
}

http.createServer((req, res) => {
  const chunks = [];
  req.on('data', (c) => chunks.push(c));
  req.on('end', () => {
    let code = 200, answer;
    const path = req.url.replace(/\/$/, '');
    let body;
    try { body = JSON.parse(Buffer.concat(chunks).toString('utf8')); } catch { body = null; }
    const fetching = path.match(/^\/api\/v6\/image_editing\/fetch\/([^/]+)$/);
    if (req.method !== 'POST') { code = 405; answer = fail('Use POST'); }
    else if (body === null || typeof body !== 'object' || Array.isArray(body)) answer = fail('Invalid API Request');
    else if (!body.key) answer = fail('API key required');
    else if (key !== 'any' && body.key !== key) answer = fail('Invalid API key');
    else if (path === '/api/v6/image_editing/flux_headshot') answer = submit(body);
    else if (fetching) answer = fetchJob(fetching[1]);
    else { code = 404; answer = fail('Unknown path'); }
    const text = JSON.stringify(answer);
    res.writeHead(code, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
    res.end(text);
  });
}).listen(port, '127.0.0.1');
