// A payment: its state, sums and anomalies, and its events in their order.

import {get} from '../api.js';
import {h} from '../dom.js';
import {badge, facts, hiddenNote, money, transactionLink, value} from '../parts.js';
import {timeOf} from '../times.js';

const ANOMALIES = {
	two_currencies: 'Its amounts are in two currencies, so nothing is added.',
	refunded_above_captured: 'More was refunded than captured.',
	captured_above_authorised: 'More was captured than authorised.',
	refunded_without_capture: 'There is a refund and no capture. It ends when the capture arrives.',
	captured_and_canceled: 'It was captured, and canceled or expired.',
	part_with_two_amounts: 'Events of one part and kind have different amounts.',
};
const SUMS = ['authorised', 'captured', 'refunded', 'disputed', 'lost', 'paid_out'];

function event(row, shownId) {
	const classes = {PROCESSED: 'good', FAILED: 'bad', PROCESSING: 'warn'};
	return h('li', {class: classes[row.status], 'data-key': row.transaction_id},
		h('p', {class: 'note'}, timeOf(row.occurred_at ?? row.created_at, {isExact: true}), row.occurred_at ? null : ', when it was accepted: the provider gave no time'),
		h('p', null, h('strong', null, row.kind ?? 'event'), ' ', money(row.amount, row.currency), row.is_total && ' in total', ' ', badge(row.status)),
		h('p', null, row.transaction_id === shownId ? [value(row.transaction_id), ' (this one)'] : transactionLink(row.source, row.transaction_id), row.part && [', part ', value(row.part)]),
		row.failure && h('p', null, value(row.failure)));
}

export function paymentCard(payment, shownId = null) {
	return [
		facts([
			['State', h('strong', null, payment.state)], ['Currency', payment.currency ?? 'not known, or two'],
			...SUMS.map((name) => [name.replace('_', ' '), h('span', {class: 'number'}, payment.sums?.[name] ?? 'not known')]),
		]),
		payment.anomalies.length > 0 && h('div', {class: 'banner'}, h('ul', null, payment.anomalies.map((name) => h('li', null, h('strong', null, name), `: ${ANOMALIES[name] ?? ''}`)))),
		h('ol', {class: 'timeline'}, payment.events.map((row) => event({source: payment.source, ...row}, shownId))),
		payment.events_total > payment.events.length && h('p', {class: 'note'}, `The newest ${payment.events.length} of ${payment.events_total} events are shown; state and sums are those of all.`),
	];
}

export const payment = {
	title: ({segments}) => `Payment ${segments[2]}`,
	load: ({segments}, signal) => get(['payments', segments[1], segments[2]], {signal}),
	render: (data, {segments}) => [
		hiddenNote(segments[2]),
		h('section', {class: 'card'}, h('p', null, 'Of the source ', value(data.source), ', first event ', timeOf(data.first_at), ', last ', timeOf(data.last_at), '.'), paymentCard(data)),
	],
};
