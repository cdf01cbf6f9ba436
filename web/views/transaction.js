// One transaction: its story, and what can be done with it.

import {get, post} from '../api.js';
import {ask} from '../dialog.js';
import {h} from '../dom.js';
import {badge, button, facts, hiddenNote, money, paymentLink, value} from '../parts.js';
import {linkTo} from '../router.js';
import {timeOf} from '../times.js';
import {showDone} from './acts.js';
import {actions as downloads, comparison} from './comparison.js';
import {paymentCard} from './payment.js';
import {timeline} from './timeline.js';

const segmentsOf = ({segments}) => ['transactions', segments[1], segments[2]];

function transactionFacts({transaction: row, payload}) {
	return facts([
		['Status', badge(row.status)],
		row.failure && ['Failure', value(row.failure)],
		['Source', h('a', {href: linkTo(['transactions'], {source: row.source})}, value(row.source))],
		['Amount', [money(row.amount, row.currency), row.is_total && ' (a total)']],
		(row.source_account || row.destination_account) && ['Accounts', [value(row.source_account), ' → ', value(row.destination_account)]],
		row.kind && ['Kind', value(row.kind)],
		row.payment_id && ['Payment', paymentLink(row.source, row.payment_id)],
		row.part && ['Part', value(row.part)],
		['Accepted', timeOf(row.created_at, {isExact: true})],
		row.occurred_at && ['Happened', timeOf(row.occurred_at, {isExact: true})],
		row.trace_id && ['Trace id', value(row.trace_id)],
		payload && ['Request id', value(payload.request_id)],
		payload && ['Payload', [`${payload.size.toLocaleString('en')} bytes, `, value(payload.content_type), h('p', {class: 'note'}, 'SHA-256 ', h('code', null, payload.sha256))]],
	]);
}

function buttons({may, payload, transaction}) {
	const names = {source: transaction.source, id: transaction.transaction_id};
	return h('p', {class: 'buttons'},
		may.retry && button('Retry', 'retry', {}, {class: 'main'}),
		may.skip && button('Skip', 'skip', {}, {class: 'danger'}),
		may.retry_processed && button('Call again', 'retry-processed'),
		payload && button('Download the payload', 'payload', names),
		!payload && h('span', {class: 'note'}, 'The webhook as it came is not kept.'));
}

async function act(context, name, {title, body, confirm, reason, isDanger}, members = {}) {
	const answer = await ask({title, body: h('p', null, body), confirm, reason, isDanger});
	if (answer) {
		showDone(context, await post([...segmentsOf(context.route), name], {...members, reason: answer.reason || undefined}), 'Done');
	}
}

export const transaction = {
	title: ({segments}) => `Transaction ${segments[2]}`,
	load: (route, signal) => get(segmentsOf(route), {signal}),
	render: (story, {segments}) => [
		hiddenNote(segments[2]),
		h('section', {class: 'card'}, transactionFacts(story), buttons(story)),
		h('section', {class: 'card'}, h('h2', null, 'What happened'), timeline(story),
			story.attempts_total > story.attempts.length && h('p', {class: 'note'}, `The newest ${story.attempts.length} of ${story.attempts_total} attempts are shown.`)),
		story.conflicts.length > 0 && h('section', {class: 'card'}, h('h2', null, 'Conflicts'), story.conflicts.map(comparison)),
		story.payment && h('section', {class: 'card'}, h('h2', null, 'Payment ', paymentLink(story.payment.source, story.payment.payment_id)), paymentCard(story.payment, segments[2])),
	],
	actions: {
		...downloads,
		retry: (element, context) => act(context, 'retry', {
			title: 'Retry this transaction', confirm: 'Retry', body: 'It gets a new job with all its attempts, and the processor is called with the same idempotency key.',
		}),
		'retry-processed': (element, context) => act(context, 'retry', {
			title: 'Call the processor again', confirm: 'Call again', reason: 'required', isDanger: true,
			body: 'This transaction was processed. The processor is called once more with the same idempotency key: a processor that does not heed the key may do the work twice.',
		}, {even_processed: true}),
		skip: (element, context) => act(context, 'skip', {
			title: 'Skip this transaction', confirm: 'Skip', reason: 'required', isDanger: true, body: 'It stays FAILED, and its payment goes on with the next one.',
		}),
	},
};
