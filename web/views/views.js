// The views by the first segment of the address.

import {actions} from './actions.js';
import {authFailures} from './auth_failures.js';
import {conflicts} from './conflicts.js';
import {operation, operations} from './operations.js';
import {overview} from './overview.js';
import {payment} from './payment.js';
import {transaction} from './transaction.js';
import {transactions} from './transactions.js';
import {validationErrors} from './validation_errors.js';
import {workers} from './workers.js';
import {empty} from '../parts.js';

const missing = {
	title: () => 'No such view',
	load: async () => ({}),
	render: () => empty('There is no view by this address. Choose one above.'),
};

// By their names, and by how many segments follow the name.
const VIEWS = {
	'overview': {0: overview}, 'transactions': {0: transactions, 2: transaction}, 'payments': {2: payment}, 'conflicts': {0: conflicts},
	'auth-failures': {0: authFailures}, 'validation-errors': {0: validationErrors}, 'workers': {0: workers}, 'operations': {0: operations, 1: operation}, 'actions': {0: actions},
};

// {name: of the link in the navigation, view}
export function viewOf(segments) {
	const name = segments[0] ?? 'overview';
	const views = Object.hasOwn(VIEWS, name) ? VIEWS[name] : {};
	return {name: name === 'payments' ? 'transactions' : name, view: views[Math.max(0, segments.length - 1)] ?? missing};
}
