// Debian's Chromium or Firefox over playwright-core (Firefox by WebDriver BiDi, the channel "moz-firefox"), and what every test wants of a page: no error on its console, no report of the policy.

import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {nginxBefore} from './nginx.mjs';
import {serve} from './server.mjs';

// Where run has put the modules of package-lock.json.
const require = createRequire(`${process.env.NODE_FOLDER}/`);
const {chromium, firefox} = require('playwright-core');

export const KEY = process.env.CONSOLE_KEY ?? 'key-of-an-operator';
export const READER = process.env.CONSOLE_READER_KEY ?? 'key-of-a-reader';
// A payhook that is there already, with the fixtures' ids: its address with /console/.
export const BASE_URL = process.env.BASE_URL ?? null;
const PHONE = {width: 390, height: 844};
const DESK = {width: 1280, height: 900};

let browser = null;

export const isFirefox = process.argv[2] === 'firefox';

export async function openBrowser() {
	browser = isFirefox ? await firefox.launch({channel: 'moz-firefox', executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr'})
		: await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: process.getuid() === 0 ? ['--no-sandbox'] : []});
}

export const closeBrowser = () => browser?.close();

function watch(page, complaints) {
	page.on('console', (message) => {
		if (['error', 'warning'].includes(message.type())) {
			complaints.push(`${message.type()}: ${message.text()}`);
		}
	});
	page.on('pageerror', (error) => complaints.push(`exception: ${error.stack}`));
	page.on('dialog', (dialog) => {
		complaints.push(`dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	page.on('request', (request) => {
		if (!request.url().startsWith('http://127.0.0.1') && !(BASE_URL && request.url().startsWith(new URL(BASE_URL).origin)) && !request.url().startsWith('blob:')) {
			complaints.push(`request of another origin: ${request.url()}`);
		}
	});
	return page.addInitScript(() => {
		document.addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
	});
}

// withPage({...}, async ({page, url, api, open}) => ...) - a server and a page of its own; open(fragment) goes to a view, signed in.
export async function withPage({scheme = 'light', isPhone = false, key = KEY, isEmpty = false, hasNginx = false, api = undefined, allowed = []}, run) {
	const server = BASE_URL && !isEmpty && !api ? {url: BASE_URL, api: null, close() {}} : await serve({isEmpty, api});
	const nginx = hasNginx ? await nginxBefore(server.url) : null;
	const base = nginx?.url ?? server.url;
	const context = await browser.newContext({viewport: isPhone ? PHONE : DESK, colorScheme: scheme, reducedMotion: 'reduce', acceptDownloads: true});
	// Chromium on a busy machine has been seen to give a new page no frame for 13 s; without frames nothing can be clicked.
	context.setDefaultTimeout(60000);
	const page = await context.newPage();
	const complaints = [];
	await watch(page, complaints);
	const open = async (fragment = '') => {
		if (!page.url().startsWith(base)) {
			await page.addInitScript((text) => {
				// Not of about:blank, which has none.
				if (location.protocol.startsWith('http') && !sessionStorage.getItem('opened')) {
					sessionStorage.setItem('payhook-key', text);
					sessionStorage.setItem('opened', 'yes');
				}
			}, key);
			await page.goto(base + fragment);
		} else {
			await page.evaluate((hash) => {
				location.hash = hash;
			}, fragment || '#/');
		}
		await page.locator('#updated').filter({hasText: 'Updated'}).waitFor();
	};
	try {
		await run({page, url: base, api: server.api, open});
		assert.deepEqual(complaints.filter((text) => !allowed.some((each) => text.includes(each))), []);
	} finally {
		await context.close();
		await nginx?.close();
		server.close();
	}
}

// What a browser itself puts on the console for an answer of this status.
export const answered = (status) => `the server responded with a status of ${status}`;

// Axe's findings on what the page shows now.
export async function findings(page) {
	await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
	const {violations} = await page.evaluate(() => globalThis.axe.run(document, {resultTypes: ['violations']}));
	return violations.map(({id, help, nodes}) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`);
}
