// The address of a view is the fragment: "#/transactions/stripe/pi_1?from=..."; so each view, with its filters, has a link, and
// survives a reload.  Segments are percent-encoded: an id may contain anything.

function decode(segment) {
	try {
		return decodeURIComponent(segment);
	} catch {
		return segment;
	}
}

// {segments: ['transactions', 'stripe', 'pi_1'], query: URLSearchParams}
export function parseRoute(hash) {
	const text = hash.replace(/^#\/?/, '');
	const mark = text.indexOf('?');
	const path = mark < 0 ? text : text.slice(0, mark);
	return {
		segments: path.split('/').filter(Boolean).map(decode),
		query: new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)),
	};
}

// The link of a view; a query's empty members are left out.
export function linkTo(segments, query = {}) {
	const search = new URLSearchParams();
	for (const [name, value] of Object.entries(query)) {
		if (value !== null && value !== undefined && value !== '') {
			search.set(name, value);
		}
	}
	const text = search.toString();
	return `#/${segments.map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`;
}
