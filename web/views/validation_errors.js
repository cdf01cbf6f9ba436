// Validation errors: webhooks that were answered 400, 413, 415 or 422, and those that are kept until they can be mapped.

import {get} from '../api.js';
import {h} from '../dom.js';
import {badge, empty, longText, table, value} from '../parts.js';
import {linkTo} from '../router.js';
import {timeOf} from '../times.js';
import {pages, pick} from './lists.js';

const SHOWN = 20; // of the kept ones; the command line has all

// status: what it means, as docs/api.md has it.
const MEANINGS = {
	400: 'The body is not what the source reads: broken JSON, a broken form or broken gzip.', 413: 'The body is longer than BODY_LIMIT.',
	415: 'The Content-Type or Content-Encoding is not one that the source takes.', 422: 'The body can be read, and its members are not as the source wants them.',
};

const keptTable = (rows) => table({
	caption: 'Kept until they can be mapped, newest first', rows, keyOf: (row) => row.unreadable_id,
	columns: [
		{label: 'Received', cell: (row) => timeOf(row.received_at)},
		{label: 'Source', cell: (row) => value(row.source)},
		{label: 'Reason', cell: (row) => longText(row.reason)},
		{label: 'Requests', isNumber: true, cell: (row) => row.count.toLocaleString('en')},
		{label: 'Bytes', isNumber: true, cell: (row) => row.size.toLocaleString('en')},
		{label: 'Request id', cell: (row) => value(row.request_id)},
	],
});

const kept = ({data, next}) => h('section', {class: 'card'},
	h('h2', null, 'Acknowledged, and not stored yet'),
	h('p', null, 'These webhooks are verified and cannot be mapped. Nothing of them is lost: mend the mapping of the source, reload, then run ', h('code', null, './payhook remap'), '.'),
	keptTable(data), next && h('p', {class: 'note'}, `The newest ${SHOWN} are shown; `, h('code', null, "./payhook psql -c 'table unreadable'"), ' has all.'));

const errorTable = (rows) => table({
	caption: 'Newest first', rows, keyOf: (row) => `${row.failed_at}/${row.request_id}`,
	columns: [
		{label: 'When', cell: (row) => timeOf(row.failed_at)},
		{label: 'Source', cell: (row) => h('a', {href: linkTo(['validation-errors'], {source: row.source})}, value(row.source))},
		{label: 'Status', isNumber: true, cell: (row) => String(row.status)},
		{label: 'Problems', cell: (row) => longText(row.problems)},
		{label: 'Signature', cell: (row) => badge(row.is_verified ? 'verified' : 'not verified')},
		{label: 'Address', cell: (row) => value(row.address)},
		{label: 'Request id', cell: (row) => value(row.request_id)},
		{label: 'What it means', cell: (row) => MEANINGS[row.status] ?? '–'},
	],
});

export const validationErrors = {
	title: () => 'Validation errors',
	async load(route, signal) {
		const query = pick(route.query, ['source', 'cursor']);
		const [errors, unreadable] = await Promise.all([
			get(['validation-errors'], {signal, query}), get(['unreadable'], {signal, query: {source: query.source, limit: SHOWN}})]);
		return {errors, unreadable};
	},
	render({errors, unreadable}, route) {
		const {source} = pick(route.query, ['source']);
		return [
			source && h('p', null, 'Only source ', value(source), '. ', h('a', {href: linkTo(['validation-errors'])}, 'Show all')),
			h('p', null, 'These webhooks were refused as they are not what their source takes. The provider sees each problem in the answer; here are its place and its code. Where the signature is verified, the provider sent it: compare its documentation with the mapping of the source.'),
			unreadable.data.length > 0 && kept(unreadable),
			errors.data.length > 0 ? errorTable(errors.data) : empty('No webhook was refused for what is in it. The last 100 of each source would be here.'),
			pages(route, errors),
		];
	},
};
