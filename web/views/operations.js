// Operations: retries of many, with their progress.

import {get, post} from '../api.js';
import {ask} from '../dialog.js';
import {h} from '../dom.js';
import {badge, button, empty, facts, table, value} from '../parts.js';
import {linkTo} from '../router.js';
import {duration, timeOf} from '../times.js';
import {showDone} from './acts.js';
import {pages, pick} from './lists.js';

const number = (each) => (each ?? 0).toLocaleString('en');

const filterText = (filter) => Object.entries(filter ?? {}).map(([name, each]) => (Array.isArray(each) ? `${each.length} selected` : `${name}=${each}`)).join(', ');

const progress = (row) => [
	h('progress', {max: Math.max(1, row.total), value: row.handled, 'aria-label': `Progress of operation ${row.operation_id}`}),
	` ${number(row.handled)} of ${number(row.total)}`,
];

const cancelButton = (row) => row.state === 'running' && button('Cancel', 'cancel', {operation: row.operation_id}, {class: 'danger'});

const actions = {
	async cancel({dataset: {operation: id}}, context) {
		const answer = await ask({
			title: `Cancel operation ${id}`, confirm: 'Cancel the operation', isDanger: true,
			body: h('p', null, 'What was retried stays so; the rest is left FAILED.'),
		});
		if (answer) {
			showDone(context, await post(['operations', id, 'cancel'], {reason: answer.reason || undefined}), 'Canceled');
		}
	},
};

export const operations = {
	title: () => 'Operations',
	load: (route, signal) => get(['operations'], {signal, query: pick(route.query, ['cursor'])}),
	render: (data, route) => [
		data.data.length === 0 ? [
			empty('No operation was started yet. Filter the failed transactions, and choose “Retry all that match”.'),
			h('p', null, h('a', {href: linkTo(['transactions'], {status: 'FAILED'})}, 'Failed transactions')),
		] : table({
			caption: 'Newest first', rows: data.data, keyOf: (row) => row.operation_id,
			columns: [
				{label: 'Operation', cell: (row) => h('a', {href: linkTo(['operations', String(row.operation_id)])}, `${row.action} ${row.operation_id}`)},
				{label: 'State', cell: (row) => badge(row.state)},
				{label: 'Progress', cell: progress},
				{label: 'Retried', isNumber: true, cell: (row) => number(row.retried)},
				{label: 'Skipped', isNumber: true, cell: (row) => number(row.skipped)},
				{label: 'Started', cell: (row) => timeOf(row.created_at)},
				{label: 'By', cell: (row) => value(row.actor)},
				{label: 'Reason', cell: (row) => value(row.reason)},
				{label: 'Filter', cell: (row) => value(filterText(row.filter))},
				{label: 'Act', cell: cancelButton},
			],
		}),
		pages(route, data),
	],
	actions,
};

// Until when it will last at its rate.
const remaining = (row) => (row.state === 'running' ? duration(Math.ceil((row.total - row.handled) / Math.max(1, row.rate))) : '–');

export const operation = {
	title: ({segments}) => `Operation ${segments[1]}`,
	load: ({segments}, signal) => get(['operations', segments[1]], {signal}),
	render: (row) => h('section', {class: 'card'},
		h('p', {'aria-live': 'polite'}, badge(row.state), ' ', progress(row)),
		facts([
			['Action', row.action], ['Filter', value(filterText(row.filter))], ['Retried', number(row.retried)],
			['Skipped', [number(row.skipped), h('p', {class: 'note'}, 'no longer FAILED when their turn came')]],
			['Rate', `${number(row.rate)} a second`], ['Left to do', remaining(row)], ['Started', timeOf(row.created_at, {isExact: true})],
			row.finished_at && ['Finished', timeOf(row.finished_at, {isExact: true})], ['By', value(row.actor)], ['Reason', value(row.reason)],
			['Request id', value(row.request_id)],
		]),
		row.left_over && h('p', {class: 'banner'}, 'More matched than one operation takes. Start another one for the rest when this one has finished.'),
		h('p', {class: 'buttons'}, cancelButton(row), h('a', {href: linkTo(['operations'])}, 'All operations'), h('a', {href: linkTo(['transactions'], {status: 'FAILED'})}, 'Failed transactions'))),
	actions,
};
