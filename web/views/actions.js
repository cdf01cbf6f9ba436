// Actions: what operators did, by the page, the command line and psql.

import {get} from '../api.js';
import {h} from '../dom.js';
import {badge, empty, table, transactionLink, value} from '../parts.js';
import {linkTo} from '../router.js';
import {timeOf} from '../times.js';
import {pages, pick} from './lists.js';

const FILTERS = ['source', 'id', 'actor', 'action', 'cursor'];

function target(row) {
	if (row.transaction_id !== null) {
		return [transactionLink(row.source, row.transaction_id), ' of ', value(row.source)];
	}
	return row.operation_id === null ? value(row.source) : h('a', {href: linkTo(['operations', String(row.operation_id)])}, `operation ${row.operation_id}`);
}

export const actions = {
	title: () => 'Actions',
	load: (route, signal) => get(['actions'], {signal, query: pick(route.query, FILTERS)}),
	render: (data, route) => [
		[...route.query.keys()].some((name) => name !== 'cursor') && h('p', null, 'Only some are shown. ', h('a', {href: linkTo(['actions'])}, 'Show all')),
		data.data.length === 0 ? empty('No act is on record. Retries, skips, pauses, resumes and downloads appear here, also those that were refused.') : table({
			caption: 'Newest first', rows: data.data, keyOf: (row) => row.action_id,
			columns: [
				{label: 'When', cell: (row) => timeOf(row.at)},
				{label: 'By', cell: (row) => [h('a', {href: linkTo(['actions'], {actor: row.actor})}, value(row.actor)), ` (${row.via})`]},
				{label: 'Action', cell: (row) => h('a', {href: linkTo(['actions'], {action: row.action})}, row.action)},
				{label: 'Of', cell: target},
				{label: 'Outcome', cell: (row) => badge(row.outcome)},
				{label: 'Detail', cell: (row) => value(row.detail)},
				{label: 'Reason', cell: (row) => value(row.reason)},
				{label: 'Request id', cell: (row) => value(row.request_id)},
			],
		}),
		pages(route, data),
	],
};
