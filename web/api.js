// Requests of the console's API.  The key is in sessionStorage: it is this tab's, and gone with it.  No cookie is used.

import {setServerTime} from './times.js';

const KEY = 'payhook-key';
const ROOT = new URL('api/v1/', document.baseURI);
const TIMEOUT_MS = 10000;

// null: not signed in.  '': reads without a key, where the server allows that.
export const key = () => sessionStorage.getItem(KEY);
export const setKey = (text) => sessionStorage.setItem(KEY, text);
export const forgetKey = () => sessionStorage.removeItem(KEY);

// An answer that is an error, or none at all (status 0).
export class Problem extends Error {
	constructor({status, title, detail, requestId}) {
		super(`${status || ''} ${title}: ${detail}`.trim());
		Object.assign(this, {name: 'Problem', status, title, detail, requestId});
	}
}

// `segments` are encoded; a query's empty members are left out.  A browser takes "." and ".." out of a path, encoded or not, so
// that it cannot ask for such an id.
export function apiUrl(segments, query = {}) {
	const dots = segments.find((segment) => segment === '.' || segment === '..');
	if (dots !== undefined) {
		throw new Problem({status: 0, title: 'Not for browsers', detail: `no browser can ask for the id "${dots}"; use ./payhook show`});
	}
	const url = new URL(segments.map(encodeURIComponent).join('/'), ROOT);
	for (const [name, value] of Object.entries(query)) {
		if (value !== null && value !== undefined && value !== '') {
			url.searchParams.set(name, value);
		}
	}
	return url;
}

async function send(url, {method, body, signal}) {
	const headers = {Accept: 'application/json'};
	if (key()) {
		headers.Authorization = `Bearer ${key()}`;
	}
	if (body !== undefined) {
		headers['Content-Type'] = 'application/json';
	}
	try {
		return await fetch(url, {
			method, headers, signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), signal].filter(Boolean)),
			body: body === undefined ? undefined : JSON.stringify(body),
			cache: 'no-store', credentials: 'same-origin', redirect: 'error',
		});
	} catch (error) {
		if (signal?.aborted) {
			throw error;
		}
		const detail = error.name === 'TimeoutError' ? `no answer within ${TIMEOUT_MS / 1000} s` : error.message;
		throw new Problem({status: 0, title: 'No answer', detail: `${detail}; check that payhook runs and can be reached`});
	}
}

async function problemOf(response) {
	const text = await response.text();
	let body = {};
	try {
		body = JSON.parse(text) ?? {};
	} catch {
		// An answer of something between, such as a proxy's page.
	}
	return new Problem({
		status: response.status,
		title: body.title ?? response.statusText ?? 'Error',
		detail: body.detail ?? 'the answer has no reason; look for the request id in the logs',
		requestId: response.headers.get('X-Request-Id') ?? body.instance ?? null,
	});
}

// The Response itself, for a download.
export async function fetchAnswer(segments, {query, method = 'GET', body, signal} = {}) {
	const response = await send(apiUrl(segments, query), {method, body, signal});
	setServerTime(response.headers.get('Date'));
	if (!response.ok) {
		throw await problemOf(response);
	}
	return response;
}

export async function get(segments, {query, signal} = {}) {
	return (await fetchAnswer(segments, {query, signal})).json();
}

export async function post(segments, body = {}) {
	const response = await fetchAnswer(segments, {method: 'POST', body});
	return response.status === 204 ? {} : response.json();
}
