// What the lists have in common: the link to the next page.

import {h} from '../dom.js';
import {linkTo} from '../router.js';

export function pages(route, data) {
	const query = Object.fromEntries(route.query);
	return h('nav', {class: 'buttons', 'aria-label': 'Pages'},
		query.cursor && h('a', {href: linkTo(route.segments, {...query, cursor: ''})}, 'Newest'),
		data.next && h('a', {href: linkTo(route.segments, {...query, cursor: data.next})}, data.truncated ? 'Go on with the search' : 'Older'),
		data.truncated && h('span', {class: 'note'}, 'This page ended when as many rows as one request may were examined.'));
}

// The members of the query by these names.
export const pick = (query, names) => Object.fromEntries(names.map((name) => [name, query.get(name)]));
