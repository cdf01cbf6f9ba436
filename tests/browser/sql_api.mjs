// The console's API by the SQL functions themselves, as docs/console-api.md has them, each called by psql; without keys and payloads,
// which are the program's.

import {execFile} from 'node:child_process';
import {promisify} from 'node:util';

const run = promisify(execFile);
const ACTOR = 'operator';
const LISTS = {
	'transactions': ['console_transactions', ['id', 'payment', 'source', 'status', 'kind', 'account', 'currency', 'amount_min', 'amount_max', 'from', 'to', 'error', 'cursor', 'limit']],
	'conflicts': ['console_conflicts', ['source', 'id', 'cursor', 'limit']], 'auth-failures': ['console_auth_failures', ['source', 'cause', 'cursor', 'limit']],
	'validation-errors': ['console_validation_errors', ['source', 'cursor', 'limit']], 'unreadable': ['console_unreadable', ['source', 'cursor', 'limit']],
	'actions': ['console_actions', ['source', 'id', 'actor', 'action', 'cursor', 'limit']], 'operations': ['console_operations', ['cursor', 'limit']], 'overview': ['console_overview', []],
};

// [function, parameters]
function reading({segments: [name, source, id], query}) {
	if (source === undefined) {
		const [called, names] = LISTS[name];
		return [called, names.map((each) => query[each])];
	}
	return name === 'operations' ? ['console_operation', [source]] : [name === 'payments' ? 'console_payment' : 'console_transaction', [source, id]];
}

function act({segments, body, id: request}) {
	const [name, first, second, last] = segments;
	const by = [body.reason, ACTOR, request];
	const acts = {
		retry: () => ['console_retry', [first, second, body.even_processed, ...by]], skip: () => ['console_skip', [first, second, ...by]],
		pause: () => ['console_pause', [body.source, ...by]], resume: () => ['console_resume', [body.source, ...by]],
		cancel: () => ['console_cancel_operation', [first, ...by]], operations: () => ['console_start_operation', [body.action, JSON.stringify(body.filter), body.dry_run, body.rate, ...by]],
	};
	return acts[last ?? (name === 'operations' ? second : undefined) ?? name]();
}

export class SqlApi {
	constructor(conninfo) {
		this.conninfo = conninfo;
	}

	// The output of a script, in which :'p0' is the first parameter.
	async psql(script, parameters = []) {
		const variables = parameters.flatMap((each, at) => ['-v', `p${at}=${each ?? ''}`]);
		const running = run('psql', ['-d', this.conninfo, '-AtXq', '-v', 'ON_ERROR_STOP=1', ...variables], {maxBuffer: 2 ** 26});
		running.child.stdin.end(script);
		return (await running).stdout;
	}

	async answer(request) {
		const [called, parameters] = request.method === 'GET' ? reading(request) : act(request);
		const output = await this.psql(`SELECT status || ' ' || body FROM payhook.${called}(${parameters.map((each, at) => (each === undefined || each === null ? 'NULL' : `:'p${at}'`)).join(', ')});\n`, parameters);
		const space = output.indexOf(' ');
		return {status: Number(output.slice(0, space)), body: JSON.parse(output.slice(space + 1))};
	}
}
