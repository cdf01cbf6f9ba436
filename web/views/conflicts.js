// Conflicts: webhooks with a known id and other contents.

import {get} from '../api.js';
import {h} from '../dom.js';
import {badge, empty, transactionLink, value} from '../parts.js';
import {actions, comparison} from './comparison.js';
import {pages, pick} from './lists.js';

export const conflicts = {
	title: () => 'Conflicts',
	load: (route, signal) => get(['conflicts'], {signal, query: pick(route.query, ['source', 'id', 'cursor'])}),
	render: (data, route) => [
		h('p', null, 'A webhook had a known id and other contents. The first transaction stays as it is, and it is the one that is processed. Ask the provider which is right; a correction needs an id of its own.'),
		data.data.length === 0 && empty('There is no conflict. Every id came with one content.'),
		data.data.map((each) => h('section', {class: 'card', 'data-key': JSON.stringify([each.source, each.transaction_id, each.ordinal])},
			h('h2', null, transactionLink(each.source, each.transaction_id)), h('p', null, 'Source ', value(each.source), ' ', badge(each.status)), comparison(each))),
		pages(route, data),
	],
	actions,
};
