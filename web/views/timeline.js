// The story of a transaction as sentences, oldest first: received, stored, attempts, conflicts, acts of operators, the end.

import {h} from '../dom.js';
import {transactionLink, value} from '../parts.js';
import {duration, timeOf} from '../times.js';

const ATTEMPTS = {
	processed: ['succeeded', 'good'], retried: ['failed, and is to be retried', 'warn'], failed: ['failed for good', 'bad'],
	probed: ['failed while the circuit was open; it does not count', 'warn'], postponed: ['could not be made on the machine of the worker; it does not count', 'warn'],
	unknown: ['was cut off: its worker stopped before the answer', 'warn'],
};
const ACTS = {
	retry: 'retried it', retry_processed: 'had it called again although it was processed', retry_all: 'retried it with others', skip: 'let its payment go on without it',
	payload: 'downloaded its payload', conflict_body: 'downloaded the body of a conflict', start_operation: 'retried it by an operation',
};

const entry = (at, kind, ...content) => ({at, kind, content});

function attempt(each) {
	const [text, kind] = ATTEMPTS[each.outcome] ?? [each.outcome, 'warn'];
	// The host of a worker that has ended is not known any more.
	const where = each.worker_host ? [', on ', value(each.worker_host)] : each.worker && [', by worker ', value(String(each.worker)), ', which has ended'];
	return entry(each.finished_at ?? each.started_at, kind, h('p', null, `Attempt ${each.attempt} ${text}${each.duration_ms === null ? '' : `, after ${duration(each.duration_ms / 1000)}`}`,
		where, '.'), each.error && h('p', null, value(each.error)));
}

function act(each) {
	const result = each.outcome === 'done' ? null : ` (${each.outcome}${each.detail ? `: ${each.detail}` : ''})`;
	return entry(each.at, each.outcome === 'refused' ? 'warn' : '', h('p', null, value(each.actor), ` ${ACTS[each.action] ?? each.action}`, result,
		each.reason && [': ', value(each.reason)], '.'));
}

function conflict(each) {
	return entry(each.first_seen, 'warn', h('p', null, `A webhook with this id and other contents came${each.count > 1 ? `, ${each.count} times` : ''}. The stored transaction stayed as it is.`));
}

// What is to come; it has no time, or one in the future.
function next(job, {source, status}) {
	if (!job) {
		return status === 'PROCESSING' ? [entry(null, 'warn', h('p', null, 'It is in the queue.'))] : [];
	}
	const behind = job.behind && (typeof job.behind === 'string' ? transactionLink(source, job.behind) : transactionLink(job.behind.source ?? source, job.behind.transaction_id));
	const texts = {
		ready: ['It waits for a worker.'], waiting: ['The next attempt is ', timeOf(job.run_at), '.'],
		claimed: ['A worker is calling the processor', job.worker_host && [', on ', value(`${job.worker_host} ${job.worker_pid}`)], ', since ', timeOf(job.claimed_at), '.'],
		held: ['It was given up, and the later transactions of its payment wait. Retry it, or skip it.'],
		parked: ['It waits for an earlier transaction of its payment', behind && [', ', behind], '.'],
	};
	return [entry(null, 'warn', h('p', null, texts[job.state] ?? job.state), job.last_error && h('p', {class: 'note'}, 'Last error: ', value(job.last_error)))];
}

export function timeline(story) {
	const {transaction, payload, dead} = story;
	const past = [
		transaction.occurred_at && entry(transaction.occurred_at, '', h('p', null, 'It happened, by the clock of the provider.')),
		payload && entry(payload.received_at, '', h('p', null, 'The webhook was received from ', value(transaction.source), `, ${payload.size.toLocaleString('en')} bytes.`)),
		entry(transaction.created_at, 'good', h('p', null, 'The transaction was stored, and the provider got 202.')),
		...story.attempts.map(attempt), ...story.conflicts.map(conflict), ...story.actions.map(act),
		dead && entry(dead.died_at, 'bad', h('p', null, `It was given up after ${dead.attempts} ${dead.attempts === 1 ? 'attempt' : 'attempts'}.`), h('p', null, value(dead.error))),
		transaction.processed_at && entry(transaction.processed_at, 'good', h('p', null, 'It was processed.')),
	].filter(Boolean);
	past.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
	return h('ol', {class: 'timeline'}, [...past, ...next(story.job, transaction)].map((each) => h('li', {class: each.kind || null},
		each.at && h('p', {class: 'note'}, timeOf(each.at, {isExact: true})), each.content)));
}
