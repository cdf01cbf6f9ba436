// What the played API has: sources, transactions of every state, a payment, conflicts, auth failures, 300 failed ones and 300 hostile
// strings.  Against a real payhook (BASE_URL) the same ids have to be there.

const MINUTE = 60000;
export const ago = (ms) => new Date(Date.now() - ms).toISOString().replace('Z', '000Z');

const control = (from, to) => Array.from({length: to - from + 1}, (_, at) => String.fromCodePoint(from + at));
const fill = (text) => text.repeat(Math.ceil(255 / text.length)).slice(0, 255);

// 300 texts, each different, none with a NUL (the API's strings have none) and none of more than 255 bytes.
export function hostileStrings() {
	const seeds = [
		'<script>window.hostile = 1</script>', '<img src=x onerror="window.hostile = 2">', '"><svg onload="window.hostile=3">', "'; window.hostile = 4; //",
		'javascript:window.hostile=5', '{{constructor.constructor("window.hostile=6")()}}', '${window.hostile=7}', '<iframe srcdoc="<script>parent.hostile=8</script>">',
		'</template><script>window.hostile=9</script>', '<style>*{display:none}</style>', '<base href="https://evil.example/">', '&lt;b&gt;&amp;&#60;', '<!--', '-->', ']]>',
		'<math><mi//xlink:href="data:x,<script>window.hostile=10</script>">', '<a href="javascript:window.hostile=11">x</a>', '<form action=//evil.example><input>', '\u202Egnp.exe', '\u202Eabc\u202C',
		'\u2066isolate', '\u200Fright\u200E', 'مرحبا بالعالم', 'שלום עולם', 'a\u0300\u0301\u0302\u0303', 'Z\u0351\u036B\u0343\u036A', '\u200B', '\uFEFFbom', '👩‍👩‍👧‍👦', '\u{1F3F4}\u{E0067}\u{E0062}', '␀␁␂␛␡', '␛[31mred',
		'..', '.', '../../etc/passwd', '%2e%2e', '%00', '%', 'a/b/c', 'a?b=c&d#e', '#/transactions', ' leading', 'trailing ', '   ', '__proto__', 'constructor', 'hasOwnProperty', 'undefined', 'null',
		'0', '-1', '1e309', "Robert'); DROP TABLE students;--", '\\', '\\u003cscript\\u003e', '\u0085', '\u2028line', '\u2029paragraph', '\uFFFD', '\uD7FF', '\u{10FFFD}',
		...control(0x80, 0x9f),
	];
	const texts = new Set(seeds);
	for (let at = 0; texts.size < 280; at++) {
		texts.add(`${seeds[at % seeds.length]}${Math.floor(at / seeds.length) + 1}`.slice(0, 80));
	}
	for (let at = 0; texts.size < 300; at++) {
		texts.add(fill(`${at}<b>x</b>`));
	}
	return [...texts];
}

const row = (source, id, more = {}) => ({
	source, transaction_id: id, status: 'PROCESSED', kind: null, payment_id: null, source_account: 'acc_a', destination_account: 'acc_b', amount: '1500.10', currency: 'INR',
	created_at: ago(5 * MINUTE), occurred_at: null, processed_at: ago(5 * MINUTE - 900), failed_at: null, failure: null, part: null, is_total: false, trace_id: null, ...more,
});

const failed = (source, id, failure, more = {}) => row(source, id, {status: 'FAILED', processed_at: null, failed_at: ago(3 * MINUTE), failure, ...more});

function paymentEvents() {
	const of = (id, kind, amount, minutes, more = {}) => row('stripe', id, {kind, amount, currency: 'EUR', payment_id: 'pi_1', occurred_at: ago(minutes * MINUTE), created_at: ago(minutes * MINUTE - 2000),
		processed_at: ago(minutes * MINUTE - 3000), source_account: null, destination_account: null, ...more});
	return [of('evt_auth', 'authorised', '50.00', 50), of('evt_cap', 'captured', '50.00', 40, {part: 'ch_1'}), of('evt_ref', 'refunded', '80.00', 30, {part: 're_1'})];
}

export function transactions() {
	return [
		failed('transactions', 'txn_failed', 'the processor answered 503: no stock service', {trace_id: '4bf92f3577b34da6a3ce929d0e0e4736'}),
		row('transactions', 'txn_conflict', {created_at: ago(20 * MINUTE)}), row('transactions', 'txn_ok'),
		row('transactions', 'txn_running', {status: 'PROCESSING', processed_at: null, created_at: ago(2000)}),
		...paymentEvents(),
		...Array.from({length: 300}, (_, at) => failed('stripe', `evt_timeout_${String(at).padStart(3, '0')}`, 'timeout after 5 s', {created_at: ago(60 * MINUTE + at * 100), failed_at: ago(10 * MINUTE + at * 100)})),
		failed('stripe', 'evt_declined', 'the processor answered 422: card declined', {created_at: ago(70 * MINUTE), failed_at: ago(11 * MINUTE)}),
		...hostileStrings().map((text, at) => failed('hostile', text, text, {source_account: text, destination_account: text, created_at: ago(120 * MINUTE + at * 100), failed_at: ago(100 * MINUTE + at * 100)})),
	];
}

export const conflicts = () => [{
	source: 'transactions', transaction_id: 'txn_conflict', ordinal: 1, count: 2, unkept: 0, first_seen: ago(15 * MINUTE), last_seen: ago(12 * MINUTE), request_id: 'c0ffee00c0ffee00c0ffee00c0ffee00',
	size: 130, sha256: 'ab'.repeat(32), is_erased: false, status: 'PROCESSED',
	stored: {source_account: 'acc_a', destination_account: 'acc_b', amount: '1500.10', currency: 'INR'},
	offered: {source_account: 'acc_a', destination_account: 'acc_b', amount: '9999.99', currency: 'INR'}, differs: ['amount'],
}, {
	source: 'stripe', transaction_id: 'evt_cap', ordinal: 1, count: 1, unkept: 0, first_seen: ago(25 * MINUTE), last_seen: ago(25 * MINUTE), request_id: null,
	size: 2300, sha256: 'cd'.repeat(32), is_erased: false, status: 'PROCESSED', stored: {source_account: null, destination_account: null, amount: '50.00', currency: 'EUR'}, offered: null, differs: [],
}];

export const authFailures = () => ['wrong', 'old', 'missing', 'api_key'].map((cause, at) => ({
	failed_at: ago((at + 1) * MINUTE), source: cause === 'api_key' ? null : 'stripe', cause, detail: `v1 signature: ${cause}`, skew_s: cause === 'old' ? 912 : null, address: '203.0.113.9', request_id: `${at}`.repeat(32),
}));

export const validationErrors = () => [['stripe', true, 422, '/amount too_many_decimals'], ['wise', false, 422, '/currency missing'], ['wise', false, 413, 'too_large']].map(([source, isVerified, status, problems], at) => ({
	failed_at: ago((at + 1) * MINUTE), source, is_verified: isVerified, status, problems, address: '203.0.113.9', request_id: `${at}`.repeat(32),
}));

export const unreadable = () => [{
	unreadable_id: 7, source: 'adyen', received_at: ago(3 * MINUTE), last_at: ago(MINUTE), count: 2, reason: '/data/object/amount missing', size: 2300, sha256: 'ef'.repeat(32), request_id: '7'.repeat(32),
}];

const source = (name, more) => ({
	source: name, first_seen_at: ago(9000 * MINUTE), last_accepted_at: ago(2000), last_refused_at: null, accepted_per_minute: 42.5, accepted_hour: 2550, processed_hour: 2500, failed_hour: 0, refused_hour: 0,
	silent_ms: 2000, is_silent: false, paused: null, ...more,
});

export const sources = () => [source('hostile', {failed_hour: 300}), source('stripe', {last_refused_at: ago(MINUTE), refused_hour: 3, failed_hour: 300}), source('transactions', {failed_hour: 1}),
	source('wise', {last_accepted_at: ago(50 * MINUTE), silent_ms: 50 * MINUTE, is_silent: true, accepted_per_minute: 0})];

export const workers = () => [
	{host: 'node1', pid: 4711, version: '0.1.0', processor: 'http', started_at: ago(900 * MINUTE), beat_at: ago(1000), silent_ms: 1000, is_alive: true, in_flight: 12, circuit_open_since: null},
	{host: 'node2', pid: 4712, version: '0.1.0', processor: 'http', started_at: ago(900 * MINUTE), beat_at: ago(500), silent_ms: 500, is_alive: true, in_flight: 1, circuit_open_since: ago(4 * MINUTE)},
];

export const minutes = () => Array.from({length: 60}, (_, at) => ({
	minute: ago((59 - at) * MINUTE).replace(/:\d\d\.\d+Z/, ':00.000000Z'), accepted: 400 + Math.round(90 * Math.sin(at / 6)), processed: 395 + Math.round(90 * Math.sin((at - 1) / 6)), failed: at % 17 === 0 ? 9 : 0, refused: at % 9 === 0 ? 4 : 1,
}));
