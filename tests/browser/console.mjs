// The console's page, as an operator uses it.

import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {Api} from './api.mjs';
import {BASE_URL, KEY, READER, answered, closeBrowser, findings, isFirefox, openBrowser, withPage} from './browser.mjs';
import {hostileStrings} from './fixtures.mjs';
import {takeScreenshots} from './screenshots.mjs';
import {runAll, test} from './tap.mjs';

const VIEWS = ['#/', '#/transactions?status=FAILED', '#/transactions/transactions/txn_failed', '#/transactions/transactions/txn_conflict', '#/payments/stripe/pi_1', '#/conflicts', '#/auth-failures', '#/validation-errors', '#/workers',
	'#/operations', '#/actions'];

const dialog = (page) => page.getByRole('dialog');

async function confirm(page, label, reason = 'the processor is back') {
	await dialog(page).getByLabel('Reason').fill(reason);
	await dialog(page).getByRole('button', {name: label}).click();
}

// The next answer of the API after now, so that what is on the screen is newer than it.
const refreshed = (page) => page.waitForResponse((response) => response.url().includes('/api/v1/') && response.request().method() === 'GET');

async function twice(page) {
	await refreshed(page);
	await refreshed(page);
}

test('an unknown key is refused with the request id, a known one signs in, and signing out forgets it', () => withPage({allowed: [answered(401)]}, async ({page, url}) => {
	await page.goto(url);
	await page.getByLabel('API key').fill('no-such-key');
	await page.getByRole('button', {name: 'Sign in', exact: true}).click();
	await page.getByText(/This key was not accepted: .* Request id [0-9a-f]{32}/).waitFor();
	await page.getByText('How to make the first key').click();
	await page.getByText('./payhook key --save alice').waitFor();
	await page.getByLabel('API key').fill(KEY);
	await page.getByLabel('API key').press('Enter');
	await page.getByRole('heading', {name: 'Overview'}).waitFor();
	assert.equal(await page.evaluate(() => Object.keys(localStorage).length + document.cookie.length), 0);
	await page.getByRole('button', {name: 'Sign out'}).click();
	await page.getByText('Signed out.').waitFor();
	assert.equal(await page.evaluate(() => sessionStorage.getItem('payhook-key')), null);
}));

test('a key that could not be tried stays in its field, one that was removed is asked for again, both with the request id', async () => {
	const api = new Api();
	await withPage({api, allowed: [answered(503), answered(401)]}, async ({page, url}) => {
		api.isDown = true;
		await page.goto(url);
		await page.getByLabel('API key').fill(KEY);
		await page.getByLabel('API key').press('Enter');
		await page.getByText(/the database does not answer\. Request id [0-9a-f]{32}/).waitFor();
		assert.equal(await page.getByLabel('API key').inputValue(), KEY);
		api.isDown = false;
		await page.getByLabel('API key').press('Enter');
		await page.getByRole('heading', {name: 'Overview'}).waitFor();
		await page.evaluate(() => sessionStorage.setItem('payhook-key', 'one that was removed'));
		await page.getByText(/This key is not accepted any more: .* Request id [0-9a-f]{32}/).waitFor();
	});
});

test('the overview draws both charts, marks a silent source and an open circuit, and links to what failed', () => withPage({}, async ({page, open}) => {
	await open();
	await page.getByRole('row', {name: /wise/}).getByText(/silent for/).waitFor();
	await page.getByRole('row', {name: /node2/}).getByText('circuit open').waitFor();
	for (const id of ['chart-flow', 'chart-faults']) {
		const drawn = await page.locator(`#${id}`).evaluate((canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((each) => each !== 0));
		assert.ok(drawn, `${id} is blank`);
	}
	await page.getByRole('link', {name: 'failed, given up'}).click();
	await page.getByRole('heading', {name: 'Transactions'}).waitFor();
}));

test('a failed transaction is found, its reason read, retried, and seen PROCESSED without a reload', () => withPage({}, async ({page, open}) => {
	await open();
	await page.getByLabel('Transaction or payment id').fill('txn_failed');
	await page.getByRole('button', {name: 'Find'}).click();
	await page.getByRole('link', {name: 'txn_failed'}).click();
	await page.getByText('It was given up after 2 attempts.').waitFor();
	await page.locator('.timeline').getByText('the processor answered 503: no stock service').first().waitFor();
	await page.getByRole('button', {name: 'Retry', exact: true}).click();
	await confirm(page, 'Retry');
	await page.locator('#result').getByText('txn_failed has a new job').waitFor();
	await page.locator('.facts').getByText('PROCESSED').waitFor();
	await page.getByText(/operator retried it/).waitFor();
	assert.equal(await page.getByRole('button', {name: 'Retry', exact: true}).count(), 0);
}));

test('an attempt names the host of its worker, and the worker itself once its host is not known any more', async () => {
	const api = new Api();
	api.attempts = (row) => Api.prototype.attempts.call(api, row).map((each, at) => ({...each, worker: `253848831723800000${at}`, worker_host: at === 0 ? null : 'node1'}));
	await withPage({api}, async ({page, open}) => {
		await open('#/transactions/transactions/txn_failed');
		await page.locator('.timeline').getByText(/Attempt 1 failed, .* by worker 2538488317238000000, which has ended\./).waitFor();
		await page.locator('.timeline').getByText(/Attempt 2 failed for good, .* on node1\./).waitFor();
	});
});

test('a processed transaction is called again only with a reason', () => withPage({}, async ({page, open}) => {
	await open('#/transactions/transactions/txn_ok');
	await page.getByRole('button', {name: 'Call again'}).click();
	await dialog(page).getByRole('button', {name: 'Call again'}).click();
	assert.ok(await dialog(page).isVisible(), 'the dialog has to stay without a reason');
	await dialog(page).getByLabel('Reason').fill('   ');
	await dialog(page).getByLabel('Reason').press('Enter');
	assert.ok(await dialog(page).isVisible(), 'blanks are no reason');
	await confirm(page, 'Call again', 'the processor lost it');
	await page.locator('#result').getByText('txn_ok has a new job').waitFor();
}));

test('a retry of 300 that match is previewed, run to its end, and on record', () => withPage({}, async ({page, open}) => {
	await open('#/transactions?status=FAILED&source=stripe&error=TIMEOUT');
	await page.getByRole('button', {name: 'Retry all that match'}).click();
	await dialog(page).getByRole('heading', {name: 'Retry 300 failed transactions'}).waitFor();
	assert.equal(await dialog(page).getByRole('row').count(), 21);
	await confirm(page, 'Retry 300', 'the timeout is over');
	await page.getByRole('heading', {name: /Operation \d+/}).waitFor();
	await page.getByText('300 of 300').waitFor();
	await page.locator('.badge', {hasText: 'done'}).waitFor();
	await open('#/transactions?status=FAILED&source=stripe');
	await page.getByRole('link', {name: 'evt_declined'}).waitFor();
	assert.equal(await page.getByRole('row').count(), 2);
	await open('#/actions');
	await page.getByRole('row', {name: /start_operation/}).getByText('the timeout is over').waitFor();
}));

test('without a time, a retry of all that match has what the list shows, also what failed days ago', async () => {
	const api = new Api();
	Object.assign(api.find('stripe', 'evt_declined'), {created_at: '2020-01-01T00:00:00.000000Z', failed_at: '2020-01-01T00:01:00.000000Z'});
	await withPage({api}, async ({page, open}) => {
		await open('#/transactions?status=FAILED&error=card+declined');
		await page.getByRole('link', {name: 'evt_declined'}).waitFor();
		await page.getByRole('button', {name: 'Retry all that match'}).click();
		await dialog(page).getByRole('heading', {name: 'Retry 1 failed transaction'}).waitFor();
		await dialog(page).getByRole('button', {name: 'Cancel'}).click();
		await open('#/transactions?status=FAILED');
		await page.getByRole('button', {name: 'Retry all that match'}).click();
		await dialog(page).getByRole('heading', {name: `Retry ${api.rows.filter((row) => row.status === 'FAILED').length} failed transactions`}).waitFor();
		await dialog(page).getByRole('button', {name: 'Cancel'}).click();
		await open('#/transactions?error=no+such+error');
		await page.getByText('No FAILED transaction matches, whenever it failed.').waitFor();
	});
});

test('selected rows stay selected over refreshes and pages, and only they are retried', () => withPage({}, async ({page, open}) => {
	await open('#/transactions?status=FAILED&source=stripe');
	await page.getByLabel('Select evt_timeout_000').check();
	await page.getByLabel('Select evt_timeout_001').check();
	await twice(page);
	assert.ok(await page.getByLabel('Select evt_timeout_001').isChecked());
	await page.getByRole('link', {name: 'Older'}).click();
	await page.getByLabel('Select evt_timeout_060').check();
	await page.getByRole('button', {name: 'Retry selected (3)'}).click();
	await dialog(page).getByRole('heading', {name: 'Retry 3 failed transactions'}).waitFor();
	await confirm(page, 'Retry 3');
	await page.getByText('3 of 3').waitFor();
}));

test('filters are in the address, survive a reload, and the way back', () => withPage({}, async ({page, open}) => {
	await open('#/transactions');
	await page.getByLabel('Status').selectOption('FAILED');
	await page.getByLabel('Error contains').fill('no stock & "more"?#');
	await page.getByLabel('From (UTC)').fill('2026-01-02T03:04');
	await page.getByRole('button', {name: 'Filter', exact: true}).click();
	await page.waitForURL(/status=FAILED/);
	assert.match(page.url(), /from=2026-01-02T03%3A04%3A00Z/);
	await page.reload();
	assert.equal(await page.getByLabel('Error contains').inputValue(), 'no stock & "more"?#');
	assert.equal(await page.getByLabel('From (UTC)').inputValue(), '2026-01-02T03:04');
	await page.goBack();
	await page.waitForFunction(() => document.querySelector('#f-status')?.value === '');
}));

test('times of a link in another zone are shown in UTC, and stay the same when another filter is set', () => withPage({}, async ({page, open}) => {
	await open(`#/transactions?from=2026-01-02&to=${encodeURIComponent('2026-01-02T23:00:00+02:00')}`);
	assert.equal(await page.getByLabel('From (UTC)').inputValue(), '2026-01-02T00:00');
	assert.equal(await page.getByLabel('To (UTC)').inputValue(), '2026-01-02T21:00');
	await page.getByLabel('Currency').fill('INR');
	await page.getByRole('button', {name: 'Filter', exact: true}).click();
	await page.waitForURL(/to=2026-01-02T21%3A00%3A00Z/);
}));

test('an id that was pasted with a blank is found by the next press', () => withPage({}, async ({page, open}) => {
	await open();
	await page.getByLabel('Transaction or payment id').fill('txn_failed ');
	await page.getByRole('button', {name: 'Find'}).click();
	await page.getByText('begins or ends with a blank').waitFor();
	await page.getByRole('link', {name: 'Search without it'}).click();
	await page.getByRole('link', {name: 'txn_failed'}).waitFor();
}));

test('all jobs and one source are paused and resumed', () => withPage({}, async ({page, open}) => {
	await open('#/workers');
	for (const name of ['all', 'stripe']) {
		await page.getByRole('button', {name: `Pause ${name}`}).click();
		await confirm(page, 'Pause', 'the bank is down');
		await page.getByText(/Paused .* by operator: the bank is down/).first().waitFor();
		await page.getByRole('button', {name: `Resume ${name}`}).click();
		await confirm(page, 'Resume', '');
		await page.getByRole('button', {name: `Pause ${name}`}).waitFor();
	}
}));

test('a conflict is side by side, with the member that differs marked and no other', () => withPage({}, async ({page, open}) => {
	await open('#/conflicts');
	await page.getByRole('row', {name: /amount differs/}).locator('mark').first().waitFor();
	assert.deepEqual(await page.locator('mark').allTextContents(), ['1500.10', '9999.99']);
	await page.getByText('not of the form of payhook’s own webhooks').waitFor();
}));

test('a payment has its events in order, its sums, and each anomaly in words', () => withPage({}, async ({page, open}) => {
	await open('#/transactions/stripe/evt_cap');
	await page.getByRole('link', {name: 'pi_1'}).first().click();
	await page.getByRole('heading', {name: 'Payment pi_1'}).waitFor();
	await page.getByText('More was refunded than captured.').waitFor();
	assert.deepEqual(await page.locator('.timeline strong').allTextContents(), ['authorised', 'captured', 'refunded']);
	await page.getByText('not known').waitFor();
}));

test('an auth failure has its cause, its meaning and what to do', () => withPage({}, async ({page, open}) => {
	await open('#/auth-failures');
	await page.getByRole('row', {name: /wrong/}).getByText('Add the new one beside the old one, and reload.').waitFor();
	await page.getByRole('link', {name: 'old'}).first().click();
	await page.getByText('15 min 12 s').waitFor();
}));

test('a webhook that was refused has its problems, and one that is kept what to do', () => withPage({}, async ({page, open}) => {
	await open('#/validation-errors');
	await page.getByRole('row', {name: /amount too_many_decimals/}).getByText('verified', {exact: true}).waitFor();
	await page.getByRole('row', {name: /currency missing/}).getByText('not verified').waitFor();
	await page.getByText('./payhook remap').waitFor();
	await page.getByRole('link', {name: 'wise'}).first().click();
	await page.getByText('Only source').waitFor();
	assert.equal(await page.getByRole('row', {name: /too_many_decimals/}).count(), 0);
}));

// Over WebDriver BiDi playwright-core has no downloads.
(isFirefox ? () => {} : test)('a payload is downloaded as it came', () => withPage({}, async ({page, open}) => {
	await open('#/transactions/transactions/txn_failed');
	const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', {name: 'Download the payload'}).click()]);
	assert.equal(download.suggestedFilename(), 'transactions-txn_failed.bin');
	assert.equal(await readFile(await download.path(), 'utf8'), '{"transaction_id":"txn_failed"}');
}));

test('an act beyond the scopes of the key is answered with the reason and the request id', () => withPage({key: READER, allowed: [answered(403)]}, async ({page, open}) => {
	await open('#/transactions/transactions/txn_failed');
	await page.getByRole('button', {name: 'Retry', exact: true}).click();
	await confirm(page, 'Retry');
	await page.getByRole('alert').getByText('lacks the scope operate').waitFor();
	await page.getByRole('alert').getByText(/Request id [0-9a-f]{32}/).waitFor();
	assert.ok(await page.locator('.facts').getByText('FAILED').isVisible());
}));

test('300 hostile strings are text in lists and alone, and nothing of them runs', () => withPage({allowed: []}, async ({page, open}) => {
	const wanted = hostileStrings();
	const seen = new Set();
	await open('#/transactions?status=FAILED&source=hostile');
	for (let isLast = false; !isLast;) {
		const first = await page.locator('td[data-label="Transaction"] bdi').allTextContents();
		for (const each of ['Transaction', 'Accounts', 'Failure']) {
			const texts = await page.locator(`td[data-label="${each}"]`).evaluateAll((cells) => cells.map((cell) => [...cell.querySelectorAll('bdi')].map((value) => value.textContent)));
			texts.forEach((values, row) => values.forEach((value) => assert.ok(value === first[row] || value === `${[...first[row]].slice(0, 80).join('')}…`, `${each}: ${value}`)));
		}
		first.forEach((text) => seen.add(text));
		isLast = await page.getByRole('link', {name: 'Older'}).count() === 0;
		if (!isLast) {
			await Promise.all([refreshed(page), page.getByRole('link', {name: 'Older'}).click()]);
			await page.waitForFunction((before) => document.querySelector('td[data-label="Transaction"] bdi') && document.querySelector('td[data-label="Transaction"] bdi').textContent !== before, first[0]);
		}
	}
	assert.deepEqual(wanted.filter((text) => !seen.has(text)), []);
	for (const text of wanted.filter((each, at) => at % 6 === 0 && each !== '.' && each !== '..')) {
		await open(`#/transactions/hostile/${encodeURIComponent(text)}`);
		await page.locator('.timeline').waitFor();
		assert.equal(await page.locator('#heading').evaluate((heading) => heading.textContent), `Transaction ${text}`);
	}
	assert.equal(await page.evaluate(() => globalThis.hostile), undefined);
	assert.equal(await page.locator('main :is(script, style, iframe, base, img, svg, math, object)').count(), 0);
}));

test('an id of dots, for which no browser can ask, is explained', () => withPage({}, async ({page, open}) => {
	await open('#/');
	await page.evaluate(() => {
		location.hash = '#/transactions/hostile/..';
	});
	await page.getByText('no browser can ask for the id ".."').waitFor();
}));

test('old data is marked, with the reason, while the API fails, and not after', () => withPage({allowed: [answered(503)]}, async ({page, api, open}) => {
	await open();
	api.isDown = true;
	await page.getByText(/This data is old, from .* the database does not answer\. Request id/).waitFor();
	assert.ok(await page.getByRole('row', {name: /wise/}).isVisible());
	api.isDown = false;
	await page.locator('#stale').waitFor({state: 'hidden'});
}));

test('a hidden tab asks for nothing, and at once when it is seen again', () => withPage({}, async ({page, open}) => {
	await page.clock.install();
	await open();
	const hide = (isHidden) => page.evaluate((hidden) => {
		const send = globalThis.fetch;
		globalThis.asked = 0;
		globalThis.fetch = (...parameters) => {
			globalThis.asked++;
			return send(...parameters);
		};
		Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
		document.dispatchEvent(new Event('visibilitychange'));
	}, isHidden);
	await hide(true);
	// Three refreshes would have been due.
	await page.clock.runFor(6500);
	assert.equal(await page.evaluate(() => globalThis.asked), 0);
	await Promise.all([refreshed(page), hide(false)]);
}));

test('a refresh keeps the scroll position, the focus, and what is open', () => withPage({}, async ({page, open}) => {
	await open();
	await page.getByText('As a table').first().click();
	await page.getByRole('button', {name: 'Pause wise'}).focus();
	await page.evaluate(() => scrollTo(0, 400));
	await twice(page);
	assert.equal(await page.evaluate(() => scrollY), 400);
	assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Pause wise');
	assert.ok(await page.locator('details').first().evaluate((each) => each.open));
}));

test('the keyboard alone reaches the content, a dialog, and the way out of it', () => withPage({}, async ({page, open}) => {
	await open('#/workers');
	await page.evaluate(() => document.activeElement.blur());
	await page.keyboard.press('Tab');
	assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
	await page.keyboard.press('Enter');
	await page.keyboard.press('Tab');
	while (!await page.evaluate(() => document.activeElement.textContent === 'Pause all')) {
		await page.keyboard.press('Tab');
	}
	await page.keyboard.press('Enter');
	await dialog(page).waitFor();
	assert.equal(await page.evaluate(() => document.activeElement.id), 'dialog-reason');
	await page.keyboard.press('Escape');
	await dialog(page).waitFor({state: 'hidden'});
	assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Pause all');
}));

test('each empty state shows what to do next', () => withPage({isEmpty: true}, async ({page, open}) => {
	await open();
	await page.getByText('curl http').first().waitFor();
	await open('#/transactions');
	await page.getByText('curl http').waitFor();
	for (const view of ['#/conflicts', '#/auth-failures', '#/validation-errors', '#/operations', '#/actions']) {
		await open(view);
		await page.locator('#live .empty').waitFor();
	}
}));

for (const [name, options] of Object.entries({light: {}, dark: {scheme: 'dark'}, 'a phone': {isPhone: true}})) {
	test(`axe-core finds nothing in any view: ${name}`, () => withPage(options, async ({page, open, url}) => {
		await page.goto(url);
		await page.getByLabel('API key').waitFor();
		const found = await findings(page);
		await page.evaluate((key) => sessionStorage.setItem('payhook-key', key), KEY);
		await page.reload();
		for (const view of VIEWS) {
			await open(view);
			found.push(...(await findings(page)).map((each) => `${view}: ${each}`));
			const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
			assert.ok(wide <= 0 || !options.isPhone, `${view} is ${wide} pixels wider than the screen`);
		}
		await open('#/transactions?status=FAILED');
		await page.getByRole('button', {name: 'Retry all that match'}).click();
		await dialog(page).waitFor();
		found.push(...await findings(page));
		assert.deepEqual(found, []);
	}));
}

test('no view is wider than the screen, from a small phone to a desk, nor at a zoom of 200 % and 400 %', () => withPage({}, async ({page, open}) => {
	for (const width of [320, 640, 800, 1024, 1100]) {
		await page.setViewportSize({width, height: 700});
		for (const view of VIEWS) {
			await open(view);
			const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
			assert.ok(wide <= 0, `${view} is ${wide} pixels wider than ${width}`);
		}
	}
}));

test('nginx serves the page under its policy, as the types that browsers want, and 304 what has not changed', () => withPage({hasNginx: true, allowed: []}, async ({page, url, open}) => {
	const loaded = [];
	page.on('response', (response) => loaded.push(response));
	await open();
	assert.ok(await page.evaluate(() => Boolean(globalThis.Chart)));
	const files = loaded.filter((response) => !response.url().includes('/api/'));
	assert.ok(files.length > 20, `only ${files.length} files`);
	for (const response of files) {
		const headers = response.headers();
		assert.equal(response.status(), 200, response.url());
		assert.match(headers['content-security-policy'], /^default-src 'self';/, response.url());
		assert.match(headers['content-type'], /^(text\/html; charset=utf-8|application\/javascript|text\/css; charset=utf-8|image\/svg\+xml)/, response.url());
		assert.equal(headers['x-content-type-options'], 'nosniff');
		assert.match(headers['x-request-id'], /^[0-9a-f]{32}$/);
	}
	const first = await fetch(url);
	assert.equal((await fetch(url, {headers: {'If-None-Match': first.headers.get('etag')}})).status, 304);
	assert.equal((await fetch(url.slice(0, -1), {redirect: 'manual'})).headers.get('location'), '/console/');
	assert.equal((await fetch(url, {method: 'POST', body: ''})).status, 403);
	assert.equal((await fetch(`${url}none.js`)).status, 404);
	assert.equal((await fetch(`${url}..%2f..%2fmeson.build`)).status, 400);
}));

if (!BASE_URL && !isFirefox) {
	test('the screenshots of the documents are made', takeScreenshots);
}

await openBrowser();
try {
	await runAll();
} finally {
	await closeBrowser();
}
