// The console's page before a whole payhook: sign-in by a key, nginx, payhook-console, PostgreSQL and a worker.

import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {chmod, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {BASE_URL, KEY, READER, answered, closeBrowser, openBrowser, withPage} from './browser.mjs';
import {hostileStrings} from './fixtures.mjs';
import {runAll, test} from './tap.mjs';

const run = promisify(execFile);
const PAYHOOK = fileURLToPath(new URL('../../payhook', import.meta.url));
const {origin, port} = new URL(BASE_URL);
const dialog = (page) => page.getByRole('dialog');

// Answers 400, after which a transaction is FAILED, as long as it is broken.
const processor = {isBroken: true};
const server = createServer((request, response) => {
	request.resume();
	request.on('end', () => {
		response.writeHead(processor.isBroken ? 400 : 200);
		response.end();
	});
});
await new Promise((resolve) => {
	server.listen(0, '127.0.0.1', resolve);
});

const folder = await mkdtemp(join(tmpdir(), 'payhook-program-'));
await chmod(folder, 0o755);
const entry = (name, key, scopes) => ({name, sha256: createHash('sha256').update(key).digest('hex'), scopes});
await writeFile(join(folder, 'keys.json'), JSON.stringify({keys: [entry('operator', KEY, ['read', 'operate', 'payload']), entry('reader', READER, ['read'])]}));
const env = {
	...process.env, PAYHOOK_ENV_FILE: '/dev/null', PAYHOOK_VAR: join(folder, 'var'), PAYHOOK_PORT: port, WORKER_METRICS_PORT: String(Number(port) + 1000), RESPONDERS: '2', WORKER_GRACE_MS: '200',
	PROCESSOR: 'http', PROCESSOR_URL: `http://127.0.0.1:${server.address().port}/`, OPEN_SOURCE_FROM: 'all', API_KEYS_FILE: join(folder, 'keys.json'), CONSOLE: 'on',
};
const payhook = (...words) => run(PAYHOOK, words, {env, maxBuffer: 2 ** 24});
const sql = async (text) => (await payhook('psql', '-X', '-q', '-At', '-c', text)).stdout.trim();

async function send(id, more = {}) {
	const body = JSON.stringify({transaction_id: id, source_account: 'acc_a', destination_account: 'acc_b', amount: 1500.1, currency: 'INR', ...more});
	const answer = await fetch(`${origin}/v1/webhooks/transactions`, {method: 'POST', headers: {'Content-Type': 'application/json'}, body});
	assert.equal(answer.status, 202, id);
	return body;
}

async function untilFailed(count) {
	const end = Date.now() + 30000;
	while (Number(await sql('SELECT count(*) FROM payhook.dead_jobs')) < count) {
		assert.ok(Date.now() < end, 'they do not fail');
	}
}

async function confirm(page, label, reason) {
	await dialog(page).getByLabel('Reason').fill(reason);
	await dialog(page).getByRole('button', {name: label}).click();
}

test('an unknown key is refused, a known one signs in', () => withPage({allowed: [answered(401)]}, async ({page, url}) => {
	await page.goto(url);
	await page.getByLabel('API key').fill('no-such-key');
	await page.getByRole('button', {name: 'Sign in', exact: true}).click();
	await page.getByText(/This key was not accepted: .* Request id [0-9a-f]{32}/).waitFor();
	await page.getByLabel('API key').fill(KEY);
	await page.getByLabel('API key').press('Enter');
	await page.getByRole('heading', {name: 'Overview'}).waitFor();
}));

test('a failed transaction is found, retried, and seen PROCESSED', () => withPage({}, async ({page, open}) => {
	await open('#/transactions?status=FAILED&error=400');
	await page.getByRole('link', {name: 'txn_failed'}).click();
	await page.getByText('It was given up after 1 attempt').waitFor();
	processor.isBroken = false;
	await page.getByRole('button', {name: 'Retry', exact: true}).click();
	await dialog(page).getByRole('button', {name: 'Retry'}).click();
	await page.locator('.facts').getByText('PROCESSED').waitFor();
	await page.getByText(/operator retried it/).waitFor();
}));

test('a payload is a download of the bytes', () => withPage({}, async ({page, open}) => {
	const body = await send('txn_payload');
	await open('#/transactions/transactions/txn_payload');
	const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', {name: /^Download/}).first().click()]);
	assert.equal(await readFile(await download.path(), 'utf8'), body);
	await page.getByText(/operator/).first().waitFor();
}));

test('a key without the scope is refused, and the refusal is on record', () => withPage({key: READER, allowed: [answered(403)]}, async ({page, open}) => {
	await open('#/workers');
	await page.getByRole('button', {name: 'Pause all'}).click();
	await confirm(page, 'Pause', 'not mine to do');
	await page.getByText(/not for that/).waitFor();
	await open('#/actions');
	await page.getByRole('row', {name: /reader.*refused|refused.*reader/}).first().waitFor();
}));

test('all jobs are paused and resumed', () => withPage({}, async ({page, open}) => {
	await open('#/workers');
	await page.getByRole('button', {name: 'Pause all'}).click();
	await confirm(page, 'Pause', 'the bank is down');
	await page.getByRole('button', {name: 'Resume all'}).click();
	await dialog(page).getByRole('button', {name: 'Resume'}).click();
	await page.getByRole('button', {name: 'Pause all'}).waitFor();
}));

test('a conflict has the member that differs', () => withPage({}, async ({page, open}) => {
	await send('txn_payload', {amount: 7});
	await open('#/conflicts');
	await page.locator('mark').first().waitFor();
	assert.deepEqual(await page.locator('mark').allTextContents(), ['1500.1', '7']);
}));

test('hostile ids are texts, and each has its story', () => withPage({}, async ({page, open}) => {
	const ids = hostileStrings().filter((text) => !/[\u0000-\u001f\u007f-\u009f]/.test(text) && !['.', '..'].includes(text)).slice(0, 30);
	processor.isBroken = true;
	for (const id of ids) {
		await send(id);
	}
	await untilFailed(ids.length);
	await open('#/transactions?status=FAILED');
	for (const id of ids) {
		await page.goto(`${BASE_URL}#/transactions/transactions/${encodeURIComponent(id)}`);
		await page.getByText('It was given up after 1 attempt').waitFor();
	}
	assert.equal(await page.evaluate(() => globalThis.hostile), undefined);
}));

test('all that match are previewed, and an operation brings them to PROCESSED', () => withPage({}, async ({page, open}) => {
	processor.isBroken = false;
	const count = await sql('SELECT count(*) FROM payhook.dead_jobs');
	await open('#/transactions?status=FAILED&error=400');
	await page.getByRole('button', {name: 'Retry all that match'}).click();
	await dialog(page).getByRole('heading', {name: `Retry ${count} failed transactions`}).waitFor();
	await confirm(page, /^Retry/, 'it is repaired');
	await page.getByText(`${count} of ${count}`).waitFor();
	await page.locator('.badge', {hasText: 'done'}).waitFor();
}));

try {
	await payhook('up', '-d');
	await send('txn_failed');
	await untilFailed(1);
	await openBrowser();
	await runAll();
} catch (error) {
	console.log(`Bail out! ${String(error.stderr || error).replace(/\n/g, ' ')}`);
	process.exitCode = 1;
} finally {
	await closeBrowser();
	await payhook('down').catch(() => {});
	server.closeAllConnections();
	server.close();
	await rm(folder, {recursive: true, force: true});
}
