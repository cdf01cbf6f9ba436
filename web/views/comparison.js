// A conflict: the stored transaction and the other body side by side, the members that differ marked.

import {h} from '../dom.js';
import {button, value} from '../parts.js';
import {timeOf} from '../times.js';
import {download} from './acts.js';

const MEMBERS = ['source_account', 'destination_account', 'amount', 'currency'];

function row(name, each) {
	const differs = each.differs.includes(name);
	const cell = (text, label) => h('td', {role: 'cell', 'data-label': label}, differs ? h('mark', null, value(text)) : value(text));
	return h('tr', {role: 'row', class: differs && 'differs'}, h('th', {role: 'rowheader', scope: 'row'}, name, differs && [' ', h('span', {class: 'badge warn'}, 'differs')]),
		cell(each.stored?.[name], 'Stored'), cell(each.offered[name], 'Came later'));
}

function sideBySide(each) {
	if (each.is_erased) {
		return h('p', null, 'The body was erased.');
	}
	if (!each.offered) {
		return h('p', null, 'The body is not of the form of payhook’s own webhooks, so its members cannot be compared here. Download both and compare them.');
	}
	return h('table', {role: 'table'}, h('caption', {class: 'unseen'}, 'Both contents'),
		h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, ['Member', 'Stored', 'Came later'].map((label) => h('th', {role: 'columnheader', scope: 'col'}, label)))),
		h('tbody', {role: 'rowgroup'}, MEMBERS.map((name) => row(name, each))));
}

export function comparison(each) {
	const names = {source: each.source, id: each.transaction_id, ordinal: each.ordinal};
	return h('div', {'data-key': `conflict-${each.ordinal}`},
		h('p', null, `Body ${each.ordinal}: ${each.count === 1 ? 'one webhook' : `${each.count.toLocaleString('en')} webhooks`}, first `, timeOf(each.first_seen), ', last ', timeOf(each.last_seen),
			`, ${each.size.toLocaleString('en')} bytes.`, each.unkept > 0 && ` Further bodies came ${each.unkept} times, and are not kept.`),
		sideBySide(each),
		h('p', {class: 'note'}, 'Request id ', h('code', null, each.request_id ?? '–'), ', SHA-256 ', h('code', null, each.sha256 ?? '–')),
		h('p', {class: 'buttons'}, !each.is_erased && button('Download this body', 'conflict-body', names), button('Download the stored payload', 'payload', names)));
}

export const actions = {
	payload: ({dataset: {source, id}}) => download(['transactions', source, id, 'payload'], [source, id]),
	'conflict-body': ({dataset: {source, id, ordinal}}) => download(['transactions', source, id, 'conflicts', ordinal], [source, id, 'conflict', ordinal]),
};
