// The console's page over the SQL functions of a freshly migrated database: each view shows what they answer, and acts reach them.

import assert from 'node:assert/strict';
import {closeBrowser, openBrowser, withPage} from './browser.mjs';
import {hostileStrings} from './fixtures.mjs';
import {SqlApi} from './sql_api.mjs';
import {runAll, test} from './tap.mjs';

const api = new SqlApi(`${process.env.PAYHOOK_TEST_CLUSTER} dbname=payhook_console_page`);

const SEED = `
INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount, currency, status, created_at, failure) VALUES
	('txn_failed', 'transactions', 'acc_a', 'acc_b', '1500.10', 'INR', 'FAILED', now() - interval '5 min', 'the processor answered 503'),
	('txn_conflict', 'transactions', 'acc_a', 'acc_b', '10', 'INR', 'PROCESSING', now() - interval '6 min', NULL);
INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at, died_at)
	VALUES ('txn_failed', 'transactions', 8, 'the processor answered 503', now() - interval '5 min', now() - interval '1 min');
INSERT INTO payhook.jobs (transaction_id, source) VALUES ('txn_conflict', 'transactions');
INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body, request_id, first_seen, last_seen, count) VALUES ('txn_conflict', 'transactions', 1, sha256('x'),
	'{"transaction_id":"txn_conflict","source_account":"acc_a","destination_account":"acc_b","amount":11.50,"currency":"INR"}', 'r1', now(), now(), 2);
INSERT INTO payhook.transactions (transaction_id, source, amount, currency, status, created_at, payment_id, kind, occurred_at, processed_at) VALUES
	('evt_1', 'stripe', '50', 'EUR', 'PROCESSED', now() - interval '7 min', 'pi_1', 'authorised', now() - interval '8 min', now()),
	('evt_2', 'stripe', '80', 'EUR', 'PROCESSED', now() - interval '7 min', 'pi_1', 'refunded', now() - interval '7 min', now());
`;

const overSql = (run) => withPage({api}, run);
const dialog = (page) => page.getByRole('dialog');

test('one transaction: its failure, its story, and a retry that goes on record', () => overSql(async ({page, open}) => {
	await open('#/transactions/transactions/txn_failed');
	await page.getByText('It was given up after 8 attempts.').waitFor();
	await page.getByRole('button', {name: 'Retry', exact: true}).click();
	await dialog(page).getByRole('button', {name: 'Retry'}).click();
	await page.locator('.facts').getByText('PROCESSING').waitFor();
	await page.getByText('It waits for a worker.').waitFor();
	await page.getByText(/operator retried it/).waitFor();
}));

test('a conflict has the member that differs, digit for digit', () => overSql(async ({page, open}) => {
	await open('#/conflicts');
	await page.locator('mark').first().waitFor();
	assert.deepEqual(await page.locator('mark').allTextContents(), ['10', '11.50']);
}));

test('a payment has its sums and its anomaly', () => overSql(async ({page, open}) => {
	await open('#/payments/stripe/pi_1');
	await page.getByText('There is a refund and no capture.').waitFor();
}));

test('every list and the overview are shown', () => overSql(async ({page, open}) => {
	for (const view of ['#/', '#/transactions', '#/transactions?status=FAILED', '#/auth-failures', '#/validation-errors', '#/workers', '#/operations', '#/actions']) {
		await open(view);
		await page.locator('#live :is(table, .empty)').first().waitFor({state: 'attached'});
	}
}));

test('all jobs are paused, and resumed', () => overSql(async ({page, open}) => {
	await open('#/workers');
	await page.getByRole('button', {name: 'Pause all'}).click();
	await dialog(page).getByLabel('Reason').fill('the bank is down');
	await dialog(page).getByRole('button', {name: 'Pause'}).click();
	await page.getByRole('button', {name: 'Resume all'}).click();
	await dialog(page).getByRole('button', {name: 'Resume'}).click();
	await page.getByRole('button', {name: 'Pause all'}).waitFor();
}));

test('all that match are previewed, and become an operation', () => overSql(async ({page, open}) => {
	const texts = hostileStrings().filter((text) => !/[\u0000-\u001f\u007f]/.test(text));
	await api.psql(`INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount, currency, status, failure)
		SELECT value, 'hostile', value, value, '1', 'INR', 'FAILED', value FROM jsonb_array_elements_text(:'p0');
		INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at, died_at) SELECT value, 'hostile', 8, value, now(), now() FROM jsonb_array_elements_text(:'p0');\n`, [JSON.stringify(texts)]);
	await open('#/transactions?status=FAILED&source=hostile');
	await page.getByRole('button', {name: 'Retry all that match'}).click();
	await dialog(page).getByRole('heading', {name: `Retry ${texts.length} failed transactions`}).waitFor();
	await dialog(page).getByLabel('Reason').fill('they are harmless');
	await dialog(page).getByRole('button', {name: /^Retry/}).click();
	await page.getByText(`0 of ${texts.length}`).waitFor();
	await page.getByRole('button', {name: 'Cancel', exact: true}).click();
	await dialog(page).getByRole('button', {name: 'Cancel the operation'}).click();
	await page.locator('#live .badge', {hasText: 'canceled'}).waitFor();
	assert.equal(await page.evaluate(() => globalThis.hostile), undefined);
}));

await new SqlApi(`${process.env.PAYHOOK_TEST_CLUSTER} dbname=postgres`).psql('CREATE DATABASE payhook_console_page TEMPLATE template_payhook;\n');
await api.psql(SEED);
await openBrowser();
try {
	await runAll();
} finally {
	await closeBrowser();
}
