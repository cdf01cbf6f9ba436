// Auth failures: requests that were refused because their signature, address, certificate or key is wrong; with what to do.

import {get} from '../api.js';
import {h} from '../dom.js';
import {empty, table, value} from '../parts.js';
import {linkTo} from '../router.js';
import {duration, timeOf} from '../times.js';
import {pages, pick} from './lists.js';

// cause: [what it means, what to do], as docs/metrics.md and docs/runbook.md have it.
export const CAUSES = {
	missing: ['There is no signature.', 'From unknown addresses: traffic of the internet, nothing to do. From the provider: set up signing there.'],
	malformed: ['The signature, or what is signed with it, cannot be parsed.', 'Check that the scheme of the source is the one that the provider uses, and that no proxy changes the headers.'],
	unsupported: ['No signature is of a version or algorithm that the scheme accepts.', 'Choose another version at the provider, or another scheme for the source.'],
	old: ['The signed time is too long ago.', 'Compare the clocks: the age is beside each failure. A queue before payhook may hold webhooks back.'],
	future: ['The signed time is in the future.', 'Compare the clocks: the clock of this host is behind, or that of the provider ahead.'],
	expired: ['The signature was made with a secret that is no longer valid.', 'The provider still signs with a secret after its not_after: change it there, or extend not_after.'],
	wrong_url: ['The signature was made for another URL.', 'Set the URL in SOURCES_FILE to the one that is registered at the provider.'],
	wrong: ['The signature does not match: another secret, or another body.', 'From the usual addresses: the secret was changed at the provider. Add the new one beside the old one, and reload.'],
	failed: ['The verification itself failed, for example for lack of memory.', 'Look for the request id in the log of the responder.'],
	address: ['The source does not allow this address.', 'If the provider has new addresses, add them to the source, and reload.'],
	certificate: ['The source requires a client certificate, and none or another one was sent.', 'Check the subject in SOURCES_FILE, and the certificate of the provider.'],
	reused: ['The signature is valid, and came with another body before.', 'Somebody may read requests on their way: look at proxies and logs, and for the request with the same transmission id.'],
	api_key: ['The API key is missing, unknown or expired, or has another scope.', 'Give the client a key that is in API_KEYS_FILE, with the scope that it needs.'],
	sign_in: ['A sign-in to the console failed: no key, an unknown or expired one, or a client that may not sign in so.', 'From an operator: make a new key, ./payhook key. From others: narrow CONSOLE_ALLOW.'],
};

const cause = (name, query = {}) => h('a', {href: linkTo(['auth-failures'], {...query, cause: name})}, name);

const summaryTable = (rows) => table({
	caption: 'The last hour', rows, keyOf: (row) => `${row.source}/${row.cause}`,
	columns: [
		{label: 'Source', cell: (row) => value(row.source)},
		{label: 'Cause', cell: (row) => cause(row.cause, {source: row.source})},
		{label: 'Failures', isNumber: true, cell: (row) => row.failures.toLocaleString('en')},
		{label: 'Addresses', isNumber: true, cell: (row) => row.addresses.toLocaleString('en')},
		{label: 'Last', cell: (row) => timeOf(row.last_at)},
		{label: 'What it means', cell: (row) => CAUSES[row.cause]?.[0] ?? '–'},
		{label: 'What to do', cell: (row) => CAUSES[row.cause]?.[1] ?? '–'},
	],
});

const listTable = (rows) => table({
	caption: 'Newest first', rows, keyOf: (row) => `${row.failed_at}/${row.request_id}`,
	columns: [
		{label: 'When', cell: (row) => timeOf(row.failed_at)},
		{label: 'Source', cell: (row) => value(row.source)},
		{label: 'Cause', cell: (row) => cause(row.cause)},
		{label: 'Reason', cell: (row) => value(row.detail)},
		{label: 'Age of the signature', isNumber: true, cell: (row) => (row.skew_s === null ? '–' : duration(row.skew_s))},
		{label: 'Address', cell: (row) => value(row.address)},
		{label: 'Request id', cell: (row) => value(row.request_id)},
	],
});

export const authFailures = {
	title: () => 'Auth failures',
	load: (route, signal) => get(['auth-failures'], {signal, query: pick(route.query, ['source', 'cause', 'cursor'])}),
	render(data, route) {
		const {source, cause: name} = pick(route.query, ['source', 'cause']);
		return [
			(source || name) && h('p', null, 'Only', source && [' source ', value(source)], name && [' cause ', value(name)], '. ', h('a', {href: linkTo(['auth-failures'])}, 'Show all')),
			name && CAUSES[name] && h('p', {class: 'banner'}, CAUSES[name].join(' ')),
			data.summary?.length > 0 && summaryTable(data.summary),
			data.data.length > 0 ? listTable(data.data) : empty('No request failed authentication. To see why a captured request would fail:', './payhook verify SOURCE < request'),
			pages(route, data),
		];
	},
};
