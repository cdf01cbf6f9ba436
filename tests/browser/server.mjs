// Serves web/ below /console/ with the headers that nginx gives it, and below /console/api/v1/ the played API, or another one.

import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {extname, join, normalize} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Api, requestId} from './api.mjs';

export const WEB = fileURLToPath(new URL('../../web/', import.meta.url));
export const CHART = '/usr/share/javascript/chart.js/chart.min.js';
const TYPES = {'.html': 'text/html; charset=utf-8', '.js': 'application/javascript', '.css': 'text/css', '.svg': 'image/svg+xml'};
const HEADERS = {'Content-Security-Policy': "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'", 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cache-Control': 'no-cache'};
const ROOT = '/console/';
const API = '/console/api/v1/';

async function body(request) {
	const parts = [];
	for await (const part of request) {
		parts.push(part);
	}
	return parts.length > 0 ? JSON.parse(Buffer.concat(parts).toString()) : {};
}

async function answerApi(api, request, response, url) {
	const id = requestId();
	const {status, body: content, bytes} = await api.answer({
		method: request.method, segments: url.pathname.slice(API.length).split('/').map(decodeURIComponent), query: Object.fromEntries(url.searchParams),
		body: request.method === 'POST' ? await body(request) : {}, key: (request.headers.authorization ?? '').replace(/^Bearer /, ''), id,
	});
	const type = status >= 400 ? 'application/problem+json' : bytes ? 'application/octet-stream' : 'application/json';
	response.writeHead(status, {'Content-Type': type, 'X-Request-Id': id, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff'});
	response.end(bytes ?? JSON.stringify(status >= 400 ? {...content, instance: id} : content));
}

async function answerFile(response, path) {
	const name = normalize(path.slice(ROOT.length) || 'index.html');
	try {
		const content = await readFile(name === 'chart.min.js' ? CHART : join(WEB, name));
		response.writeHead(200, {...HEADERS, 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream'});
		response.end(content);
	} catch {
		response.writeHead(404, HEADERS);
		response.end();
	}
}

// {url, api, close()}
export async function serve(options = {}) {
	const api = options.api ?? new Api(options);
	const server = createServer((request, response) => {
		const url = new URL(request.url, 'http://localhost');
		const answer = url.pathname.startsWith(API) ? answerApi(api, request, response, url) : answerFile(response, url.pathname);
		answer.catch((error) => {
			process.stderr.write(`${error.stack}\n`);
			response.destroy();
		});
	});
	await new Promise((resolve) => {
		server.listen(options.port ?? 0, '127.0.0.1', resolve);
	});
	return {
		api, url: `http://127.0.0.1:${server.address().port}${ROOT}`,
		close() {
			server.closeAllConnections();
			server.close();
		},
	};
}
