// Transactions: the filters are in the address.  Rows can be selected over several pages, and all that match can be retried.

import {get} from '../api.js';
import {fromTemplate, h} from '../dom.js';
import {badge, button, empty, longText, money, paymentLink, table, transactionLink, value} from '../parts.js';
import {linkTo} from '../router.js';
import {now, timeOf} from '../times.js';
import {retryMany} from './acts.js';
import {pages} from './lists.js';
import {FIRST_WEBHOOK} from './overview.js';

const FILTERS = ['id', 'payment', 'source', 'status', 'kind', 'account', 'currency', 'amount_min', 'amount_max', 'from', 'to', 'error'];
// Those that an operation takes too.
const OF_OPERATIONS = ['source', 'kind', 'account', 'currency', 'amount_min', 'amount_max', 'from', 'to', 'error'];
const TIMES = ['from', 'to'];
const SELECTED_MAX = 1000;

const filtersOf = (query) => Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? '']).filter(([, each]) => each !== ''));
const keyOf = (row) => JSON.stringify([row.source, row.transaction_id]);

// The selection is that of the filters: it stays from page to page, and ends with other filters.
let selection = {of: '', rows: new Map()};

function selectedRows(route) {
	const of = JSON.stringify(filtersOf(route.query));
	if (selection.of !== of) {
		selection = {of, rows: new Map()};
	}
	return selection.rows;
}

// The text of a field of the form is UTC, as is a time without a zone; what is no time is left to the server.
function toForm(given) {
	const text = given.replace(' ', 'T');
	const time = Date.parse(/T.*(Z|[+-]\d\d:\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`);
	return Number.isNaN(time) ? '' : new Date(time).toISOString().slice(0, 19);
}
const fromForm = (text) => (text === '' ? '' : `${text.length === 16 ? `${text}:00` : text}Z`);

const isOfFailed = (filters) => filters.status === 'FAILED' || (filters.error && !filters.status);

// null: an operation cannot take these filters.
function operationFilter(filters) {
	if (!isOfFailed(filters) || filters.id || filters.payment) {
		return null;
	}
	const filter = Object.fromEntries(OF_OPERATIONS.filter((name) => filters[name]).map((name) => [name, filters[name]]));
	// The list has all that are FAILED, whenever that was; an operation wants one member, and this one leaves nothing out.
	return Object.keys(filter).length > 0 ? filter : {to: new Date(now()).toISOString()};
}

function buttons(filters, rows, selected) {
	return h('p', {class: 'buttons'},
		button(`Retry selected (${selected.size})`, 'retry-selected', {}, {disabled: selected.size === 0}),
		button('Clear selection', 'clear-selection', {}, {disabled: selected.size === 0}),
		operationFilter(filters) && rows.length > 0 && button('Retry all that match …', 'retry-matching', {}, {class: 'main'}));
}

function columns(selected) {
	return [
		{name: 'Selected', label: h('span', {class: 'unseen'}, 'Selected'), cell: (row) => h('input', {
			type: 'checkbox', 'data-row': keyOf(row), 'aria-label': `Select ${row.transaction_id}`, checked: selected.has(keyOf(row)), disabled: row.status !== 'FAILED',
		})},
		{label: 'Transaction', cell: (row) => transactionLink(row.source, row.transaction_id)},
		{label: 'Source', cell: (row) => value(row.source)},
		{label: 'Status', cell: (row) => badge(row.status)},
		{label: 'Kind', cell: (row) => value(row.kind)},
		{label: 'Payment', cell: (row) => paymentLink(row.source, row.payment_id)},
		{label: 'Amount', isNumber: true, cell: (row) => money(row.amount, row.currency)},
		{label: 'Accounts', cell: (row) => (row.source_account || row.destination_account ? [value(row.source_account), ' → ', value(row.destination_account)] : '–')},
		{label: 'Accepted', cell: (row) => timeOf(row.created_at)},
		{label: 'Failure', cell: (row) => (row.failure ? [longText(row.failure, 80), row.failed_at && [' ', timeOf(row.failed_at)]] : '–')},
	];
}

function nothing(filters, data) {
	if (data.truncated) {
		return empty('The search has examined as many rows as one request may, and found none that match. Go on with it below, or narrow the time.');
	}
	if (filters.id && filters.id.trim() !== filters.id) {
		return [empty('No transaction and no payment has this id, which begins or ends with a blank.'),
			h('p', null, h('a', {href: linkTo(['transactions'], {...filters, id: filters.id.trim()})}, 'Search without it'))];
	}
	if (filters.id || filters.payment) {
		return empty('No transaction and no payment has this id. Ids are compared exactly, upper and lower case too. The provider may have been refused: look at the auth failures, or at its record of the webhook.');
	}
	if (isOfFailed(filters)) {
		return empty(filters.from || filters.to ? 'No transaction that failed in this time matches. Without a time, all that are FAILED are searched.' : 'No FAILED transaction matches, whenever it failed. That is good.');
	}
	return empty('No transaction matches. Without a time, the last 24 hours are searched: set “From” for more, up to 31 days. To send one:', FIRST_WEBHOOK());
}

export const transactions = {
	title: () => 'Transactions',
	load: (route, signal) => get(['transactions'], {signal, query: {...filtersOf(route.query), cursor: route.query.get('cursor')}}),
	frame: () => h('section', {class: 'card'}, fromTemplate('transaction-filters')),
	mounted(root, route) {
		// On a phone the filters would fill the screen.
		root.querySelector('.filters-part').open = matchMedia('(min-width: 48.01rem)').matches;
		for (const [name, each] of Object.entries(filtersOf(route.query))) {
			const field = root.querySelector(`#filters [name="${name}"]`);
			if (field) {
				field.value = TIMES.includes(name) ? toForm(each) : each;
			}
		}
	},
	render(data, route) {
		const filters = filtersOf(route.query);
		const selected = selectedRows(route);
		return [
			buttons(filters, data.data, selected),
			data.data.length === 0 ? nothing(filters, data) : table({
				caption: isOfFailed(filters) ? 'Failed, newest first' : 'Newest first', rows: data.data, keyOf,
				isSelected: (row) => selected.has(keyOf(row)), columns: columns(selected),
			}),
			pages(route, data),
		];
	},
	shown(root, data) {
		// A row that is retried meanwhile is not FAILED any more, and leaves the selection.
		for (const box of root.querySelectorAll('input[data-row]')) {
			if (box.disabled) {
				selection.rows.delete(box.dataset.row);
			}
			box.checked = selection.rows.has(box.dataset.row);
		}
		const retry = root.querySelector('[data-action="retry-selected"]');
		retry.textContent = `Retry selected (${selection.rows.size})`;
		retry.disabled = selection.rows.size === 0;
	},
	changed(element, context) {
		const key = element.dataset?.row;
		if (key === undefined) {
			return;
		}
		const rows = selectedRows(context.route);
		if (!element.checked) {
			rows.delete(key);
		} else if (rows.size < SELECTED_MAX) {
			rows.set(key, JSON.parse(key));
		} else {
			element.checked = false;
			context.showResult(h('p', {class: 'banner'}, `At most ${SELECTED_MAX.toLocaleString('en')} rows can be selected; use “Retry all that match” for more.`));
		}
		context.redraw();
	},
	submit(form, context) {
		const query = Object.fromEntries(new FormData(form));
		for (const name of TIMES) {
			query[name] = fromForm(query[name]);
		}
		context.go(['transactions'], {...query, payment: context.route.query.get('payment')});
	},
	actions: {
		async 'retry-selected'(element, context) {
			const list = [...selectedRows(context.route).values()].map(([source, id]) => ({source, transaction_id: id}));
			if (await retryMany({transactions: list}, context)) {
				selection.rows.clear();
			}
		},
		'retry-matching': (element, context) => retryMany(operationFilter(filtersOf(context.route.query)), context),
		'clear-selection': (element, context) => {
			selectedRows(context.route).clear();
			context.redraw();
		},
	},
};
