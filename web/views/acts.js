// The acts that several views have: pause and resume, retries of one and of many, downloads.  Each asks first, and shows what
// came of it with a link to the record.

import {fetchAnswer, post} from '../api.js';
import {ask} from '../dialog.js';
import {h} from '../dom.js';
import {facts, money, table, transactionLink, value} from '../parts.js';
import {linkTo} from '../router.js';
import {timeOf} from '../times.js';

export function showDone(context, answer, fallback) {
	context.showResult(h('div', {class: answer.outcome === 'nothing' ? 'banner' : 'done'},
		h('span', null, answer.detail ?? fallback), ' (', h('a', {href: linkTo(['actions'])}, 'on record'), ')'));
}

export const actions = {
	async pause(element, context) {
		const {source} = element.dataset;
		const answer = await ask({
			title: source ? `Pause the jobs of ${source}` : 'Pause all jobs', confirm: 'Pause', reason: 'required', isDanger: true,
			body: h('p', null, 'Workers claim no more of these jobs; calls under way end. Webhooks are accepted all the same, and their jobs wait.'),
		});
		if (answer) {
			showDone(context, await post(['pause'], {source: source || undefined, reason: answer.reason}), 'Paused');
		}
	},
	async resume(element, context) {
		const {source} = element.dataset;
		const answer = await ask({
			title: source ? `Resume the jobs of ${source}` : 'Resume all jobs', confirm: 'Resume',
			body: h('p', null, 'Workers claim these jobs again, within 12 s.'),
		});
		if (answer) {
			showDone(context, await post(['resume'], {source: source || undefined, reason: answer.reason || undefined}), 'Resumed');
		}
	},
};

function filterFacts(filter) {
	return facts(Object.entries(filter).map(([name, each]) => [name, Array.isArray(each) ? `${each.length} selected` : value(String(each))]));
}

const previewTable = (rows) => h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'The first of them'}, table({
	caption: rows.length < 20 ? 'Transactions' : 'The first 20', rows,
	columns: [
		{label: 'Transaction', cell: (row) => transactionLink(row.source, row.transaction_id)},
		{label: 'Source', cell: (row) => value(row.source)},
		{label: 'Amount', isNumber: true, cell: (row) => money(row.amount, row.currency)},
		{label: 'Failed', cell: (row) => timeOf(row.failed_at)},
		{label: 'Error', cell: (row) => value(row.failure)},
	],
}));

// Counts what a retry of this filter would bring back, asks, and starts the operation.
export async function retryMany(filter, context) {
	const preview = await post(['operations'], {action: 'retry', filter, dry_run: true});
	const total = preview.total.toLocaleString('en');
	const answer = await ask({
		title: preview.total === 0 ? 'Nothing to retry' : `Retry ${total} failed ${preview.total === 1 ? 'transaction' : 'transactions'}`,
		confirm: `Retry ${total}`, reason: 'required', isDisabled: preview.total === 0,
		body: [
			preview.total === 0 ? h('p', null, 'No FAILED transaction matches.') : h('p', null, 'Each gets a new job with all its attempts. The operation goes on by itself, can be followed under Operations, and can be canceled.'),
			preview.left_over && h('p', {class: 'banner'}, `More than ${total} match; the ones that failed first are taken. Start another operation for the rest.`),
			filterFacts(filter), preview.data.length > 0 && previewTable(preview.data),
		],
	});
	if (!answer) {
		return null;
	}
	const started = await post(['operations'], {action: 'retry', filter, dry_run: false, reason: answer.reason});
	context.go(['operations', String(started.operation.operation_id)]);
	return started;
}

const fileName = (parts) => `${parts.join('-').replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 120)}.bin`;

// The bytes as they came, into a file: they are never shown in the page.
export async function download(segments, names) {
	const blob = await (await fetchAnswer(segments)).blob();
	const url = URL.createObjectURL(new Blob([blob], {type: 'application/octet-stream'}));
	const link = h('a', {href: url, download: fileName(names)});
	document.body.append(link);
	link.click();
	link.remove();
	setTimeout(() => URL.revokeObjectURL(url), 60000);
}

export const pausedText = (paused) => ['Paused ', timeOf(paused.since), ' by ', value(paused.by), paused.reason ? [': ', value(paused.reason)] : null];

export function pauseButton(paused, source = '') {
	const name = source ? ` ${source}` : ' all';
	return paused
		? h('button', {type: 'button', 'data-action': 'resume', 'data-source': source, class: 'main'}, `Resume${name}`)
		: h('button', {type: 'button', 'data-action': 'pause', 'data-source': source}, `Pause${name}`);
}
