// Plays the console's API of docs/console-api.md over the fixtures: each route with its scope, its answers and its refusals.

import {createHash, randomBytes} from 'node:crypto';
import * as fixtures from './fixtures.mjs';

// The keys of the tests and their scopes.
export const KEYS = {'key-of-a-reader': ['read'], 'key-of-an-operator': ['read', 'operate', 'payload']};
const NAMES = {'key-of-a-reader': 'reader', 'key-of-an-operator': 'operator'};
const LIMIT = 50;

const problem = (status, detail) => ({status, body: {type: 'about:blank', title: {401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 409: 'Conflict', 422: 'Unprocessable Content'}[status], status, detail}});
const ok = (body) => ({status: 200, body});

export class Api {
	constructor({isEmpty = false} = {}) {
		this.rows = isEmpty ? [] : fixtures.transactions();
		this.conflicts = isEmpty ? [] : fixtures.conflicts();
		this.authFailures = isEmpty ? [] : fixtures.authFailures();
		this.validationErrors = isEmpty ? [] : fixtures.validationErrors();
		this.unreadable = isEmpty ? [] : fixtures.unreadable();
		this.sources = isEmpty ? [] : fixtures.sources();
		this.workers = isEmpty ? [] : fixtures.workers();
		Object.assign(this, {actions: [], operations: [], paused: null, jobs: new Map(), isDown: false});
	}

	record(request, action, more = {}) {
		const entry = {
			action_id: this.actions.length + 1, at: fixtures.ago(0), actor: request.actor, via: 'console', action, source: null, transaction_id: null, operation_id: null,
			reason: null, request_id: request.id, outcome: 'done', detail: null, ...more,
		};
		this.actions.unshift(entry);
		return ok({outcome: entry.outcome, detail: entry.detail, action_id: entry.action_id});
	}

	find(source, id) {
		return this.rows.find((row) => row.source === source && row.transaction_id === id);
	}

	// {method, segments, query, body, key, id}
	answer(request) {
		const [route, scope] = this.route(request);
		if (this.isDown) {
			return problem(503, 'the database does not answer');
		}
		if (!KEYS[request.key]) {
			return problem(401, request.key ? 'the API key is not known' : 'an API key is missing');
		}
		request.actor = NAMES[request.key];
		if (!route) {
			return problem(404, 'there is nothing by that path');
		}
		if (!KEYS[request.key].includes(scope)) {
			this.record(request, request.segments.at(-1), {outcome: 'refused', detail: `the key lacks the scope ${scope}`});
			return problem(403, `the key ${request.actor} lacks the scope ${scope}`);
		}
		this.work();
		return route.call(this, request);
	}

	route({method, segments}) {
		const [name, , , act] = segments;
		const key = `${method} ${name} ${segments.length}${act ? ` ${act}` : ''}${name === 'operations' && segments[2] ? ` ${segments[2]}` : ''}`;
		const routes = {
			'GET overview 1': [this.overview, 'read'], 'GET transactions 1': [this.list, 'read'], 'GET transactions 3': [this.story, 'read'], 'GET transactions 4 payload': [this.payload, 'payload'],
			'GET transactions 5 conflicts': [this.payload, 'payload'], 'GET payments 3': [this.payment, 'read'], 'GET conflicts 1': [this.listConflicts, 'read'], 'GET auth-failures 1': [this.listAuthFailures, 'read'],
			'GET validation-errors 1': [(request) => this.listOfSource(this.validationErrors, request), 'read'], 'GET unreadable 1': [(request) => this.listOfSource(this.unreadable, request), 'read'],
			'GET actions 1': [this.listActions, 'read'], 'GET operations 1': [this.listOperations, 'read'], 'GET operations 2': [this.operation, 'read'],
			'POST transactions 4 retry': [this.retry, 'operate'], 'POST transactions 4 skip': [this.skip, 'operate'], 'POST operations 1': [this.start, 'operate'],
			'POST operations 3 cancel': [this.cancel, 'operate'], 'POST pause 1': [this.pause, 'operate'], 'POST resume 1': [this.resume, 'operate'],
		};
		return routes[key] ?? [];
	}

	// What the workers would do meanwhile: each request is a step.
	work() {
		for (const [row, steps] of this.jobs) {
			if (steps > 0) {
				this.jobs.set(row, steps - 1);
			} else {
				Object.assign(row, {status: 'PROCESSED', processed_at: fixtures.ago(0), failure: null, failed_at: null});
				this.jobs.delete(row);
			}
		}
		for (const each of this.operations.filter((operation) => operation.state === 'running')) {
			for (const row of each.members.splice(0, each.step)) {
				Object.assign(row, {status: 'PROCESSING', failure: null, failed_at: null});
				this.jobs.set(row, 1);
				each.handled++;
				each.retried++;
			}
			if (each.members.length === 0) {
				Object.assign(each, {state: 'done', finished_at: fixtures.ago(0)});
			}
		}
	}

	overview() {
		const dead = this.rows.filter((row) => row.status === 'FAILED').length;
		const problems = [
			this.workers.length === 0 && {code: 'no_worker', detail: 'No worker has a heartbeat of the last 20 s.'}, this.paused && {code: 'paused', detail: 'All jobs are paused.'},
			...this.sources.filter((source) => source.paused).map((source) => ({code: 'source_paused', detail: `The jobs of ${source.source} are paused.`})),
			dead > 0 && {code: 'dead_jobs', detail: `${dead} transactions are FAILED.`},
		].filter(Boolean);
		return ok({
			at: fixtures.ago(0), health: this.workers.length === 0 ? 'down' : problems.length > 0 ? 'attention' : 'ok', problems,
			queue: {ready: 3, waiting: 2, claimed: 13, parked: 1, held: 0, dead: Math.min(dead, 10000), capped: ['ready'], oldest_age_ms: 2400},
			minutes: fixtures.minutes(), sources: this.sources, workers: this.workers, paused: this.paused, operations_running: this.operations.filter((each) => each.state === 'running').length, schema_version: 37,
		});
	}

	matches(row, query) {
		const accounts = [row.source_account, row.destination_account];
		return (!query.id || [row.transaction_id, row.payment_id].includes(query.id)) && (!query.payment || row.payment_id === query.payment) && (!query.source || row.source === query.source)
			&& (!query.status || row.status === query.status) && (!query.kind || row.kind === query.kind) && (!query.account || accounts.includes(query.account)) && (!query.currency || row.currency === query.currency)
			&& (!query.error || (row.failure ?? '').toLowerCase().includes(query.error.toLowerCase())) && (!query.from || row.created_at >= query.from || row.failed_at >= query.from);
	}

	page(rows, query) {
		const start = Number(query.cursor ?? 0);
		return ok({data: rows.slice(start, start + LIMIT), next: rows.length > start + LIMIT ? String(start + LIMIT) : null, truncated: false});
	}

	list({query}) {
		return this.page(this.rows.filter((row) => this.matches(row, query)).sort((one, other) => (one.created_at < other.created_at ? 1 : -1)), query);
	}

	attempts(row) {
		const of = (attempt, outcome, error, at) => ({attempt, started_at: fixtures.ago(at), finished_at: fixtures.ago(at - 230), duration_ms: 230, outcome, error, worker: '77', worker_host: 'node1'});
		return row.failure ? [of(1, 'retried', 'timeout after 5 s', 290000), of(2, 'failed', row.failure, 180500)] : [of(1, 'processed', null, 299000)];
	}

	story({segments: [, source, id]}) {
		const row = this.find(source, id);
		if (!row) {
			return problem(404, `there is no transaction ${id} of the source ${source}`);
		}
		const isFailed = row.status === 'FAILED';
		const {part, is_total, trace_id, ...rest} = row;
		return ok({
			transaction: {...rest, part, is_total, trace_id}, attempts: row.status === 'PROCESSING' && !this.jobs.has(row) ? [] : this.attempts(row), attempts_total: 2,
			job: row.status === 'PROCESSING' ? {state: 'ready', attempt: 0, enqueued_at: fixtures.ago(0), run_at: fixtures.ago(0), claimed_at: null, worker_host: null, worker_pid: null, last_error: null, behind: null} : null,
			dead: isFailed ? {attempts: 2, error: row.failure, enqueued_at: row.created_at, died_at: row.failed_at} : null,
			conflicts: this.conflicts.filter((each) => each.source === source && each.transaction_id === id), payment: row.payment_id ? this.paymentOf(source, row.payment_id) : null,
			payload: {size: 142, sha256: createHash('sha256').update(id).digest('hex'), received_at: row.created_at, request_id: 'a'.repeat(32), content_type: 'application/json'},
			actions: this.actions.filter((each) => each.source === source && each.transaction_id === id), may: {retry: isFailed, retry_processed: row.status === 'PROCESSED', skip: false},
		});
	}

	payload(request) {
		const [, source, id] = request.segments;
		this.record(request, request.segments[3] === 'payload' ? 'payload' : 'conflict_body', {source, transaction_id: id});
		return {status: 200, bytes: Buffer.from(`{"transaction_id":${JSON.stringify(id)}}`)};
	}

	paymentOf(source, id) {
		const events = this.rows.filter((row) => row.source === source && row.payment_id === id).sort((one, other) => (one.occurred_at < other.occurred_at ? -1 : 1));
		return {
			payment_id: id, source, currency: 'EUR', state: 'refunded', sums: {authorised: '50.00', captured: '50.00', refunded: '80.00', disputed: '0.00', lost: '0.00', paid_out: null},
			anomalies: ['refunded_above_captured'], events_total: events.length, first_at: events[0]?.created_at, last_at: events.at(-1)?.created_at, events,
		};
	}

	payment({segments: [, source, id]}) {
		const payment = this.paymentOf(source, id);
		return payment.events_total === 0 ? problem(404, `there is no payment ${id} of the source ${source}`) : ok(payment);
	}

	listConflicts({query}) {
		return this.page(this.conflicts, query);
	}

	listAuthFailures({query}) {
		const rows = this.authFailures.filter((each) => (!query.source || each.source === query.source) && (!query.cause || each.cause === query.cause));
		const {body} = this.page(rows, query);
		return ok({...body, summary: rows.map(({source, cause, failed_at}) => ({source, cause, failures: 3, addresses: 1, last_at: failed_at}))});
	}

	listOfSource(rows, {query}) {
		return this.page(rows.filter((each) => !query.source || each.source === query.source), query);
	}

	listActions({query}) {
		return this.page(this.actions.filter((each) => ['actor', 'action', 'source'].every((name) => !query[name] || each[name] === query[name])), query);
	}

	shown({members, step, ...operation}) {
		return operation;
	}

	listOperations({query}) {
		const {body} = this.page(this.operations, query);
		return ok({...body, data: body.data.map((each) => this.shown(each))});
	}

	operation({segments: [, id]}) {
		const found = this.operations.find((each) => String(each.operation_id) === id);
		return found ? ok(this.shown(found)) : problem(404, `there is no operation ${id}`);
	}

	retry(request) {
		const {segments: [, source, id], body} = request;
		const row = this.find(source, id);
		if (row?.status !== 'FAILED' && !(row?.status === 'PROCESSED' && body.even_processed === true)) {
			return problem(row ? 409 : 404, row ? `the transaction is ${row.status}` : 'there is no such transaction');
		}
		if (body.even_processed && !body.reason) {
			return problem(422, 'a reason is missing');
		}
		Object.assign(row, {status: 'PROCESSING', failure: null, failed_at: null, processed_at: null});
		this.jobs.set(row, 1);
		return this.record(request, body.even_processed ? 'retry_processed' : 'retry', {source, transaction_id: id, reason: body.reason ?? null, detail: `${id} has a new job`});
	}

	skip() {
		return problem(409, 'the transaction holds nothing');
	}

	start(request) {
		const {action, filter, dry_run: isDry, reason} = request.body;
		if (action !== 'retry' || !filter || Object.keys(filter).length === 0) {
			return problem(422, 'the filter is empty; give at least one member');
		}
		const listed = filter.transactions?.map((each) => JSON.stringify([each.source, each.transaction_id]));
		const members = this.rows.filter((row) => row.status === 'FAILED' && (listed ? listed.includes(JSON.stringify([row.source, row.transaction_id])) : this.matches(row, filter)));
		if (isDry) {
			return ok({dry_run: true, total: members.length, left_over: false, data: members.slice(0, 20)});
		}
		if (!reason) {
			return problem(422, 'a reason is missing');
		}
		const operation = {
			operation_id: this.operations.length + 1, action, filter, state: 'running', actor: request.actor, reason, request_id: request.id, created_at: fixtures.ago(0), finished_at: null, rate: 200,
			total: members.length, handled: 0, retried: 0, skipped: 0, left_over: false, members, step: Math.max(1, Math.ceil(members.length / 3)),
		};
		this.operations.unshift(operation);
		const {body} = this.record(request, 'start_operation', {operation_id: operation.operation_id, reason, detail: `${members.length} transactions`});
		return ok({...body, operation: this.shown(operation)});
	}

	cancel(request) {
		const found = this.operations.find((each) => String(each.operation_id) === request.segments[1]);
		Object.assign(found, {state: 'canceled', finished_at: fixtures.ago(0), members: []});
		return this.record(request, 'cancel_operation', {operation_id: found.operation_id, reason: request.body.reason ?? null, detail: 'the operation is canceled'});
	}

	setPaused(request, action, paused) {
		const {source} = request.body;
		const target = source ? this.sources.find((each) => each.source === source) : this;
		target.paused = paused;
		return this.record(request, action, {source: source ?? null, reason: request.body.reason ?? null, detail: `${source ?? 'all jobs'}: ${action}d`});
	}

	pause(request) {
		return this.setPaused(request, 'pause', {since: fixtures.ago(0), by: request.actor, reason: request.body.reason});
	}

	resume(request) {
		return this.setPaused(request, 'resume', null);
	}
}

export const requestId = () => randomBytes(16).toString('hex');
