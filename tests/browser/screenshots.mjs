// The pictures of docs/console/: small, in light and in dark.  They are written only if SCREENSHOTS names the folder, since each
// run's times differ: SCREENSHOTS=docs/console tests/browser/run

import assert from 'node:assert/strict';
import {join} from 'node:path';
import {withPage} from './browser.mjs';

const PICTURES = {overview: '#/', transactions: '#/transactions?status=FAILED&source=stripe', transaction: '#/transactions/transactions/txn_failed', conflict: '#/conflicts', payment: '#/payments/stripe/pi_1'};

export async function takeScreenshots() {
	const folder = process.env.SCREENSHOTS;
	for (const [name, fragment] of Object.entries(PICTURES)) {
		for (const scheme of name === 'overview' || name === 'transaction' ? ['light', 'dark'] : ['light']) {
			await withPage({scheme}, async ({page, open}) => {
				await page.setViewportSize({width: 1100, height: 760});
				await open(fragment);
				const picture = await page.screenshot({path: folder && join(folder, `${name}-${scheme}.png`)});
				assert.ok(picture.length > 10000 && picture.length < 300000, `${name} has ${picture.length} bytes`);
			});
		}
	}
	await withPage({isPhone: true}, async ({page, open}) => {
		await open('#/');
		await page.screenshot({path: folder && join(folder, 'overview-phone.png')});
	});
}
