// Overview: what needs attention, numbers, the last hour, sources and workers.

import {get} from '../api.js';
import {chartFrame, drawChart} from '../charts.js';
import {h} from '../dom.js';
import {empty, origin} from '../parts.js';
import {linkTo} from '../router.js';
import {duration} from '../times.js';
import {actions, pausedText, pauseButton} from './acts.js';
import {sourcesTable, workersTable} from './fleet.js';

export const FIRST_WEBHOOK = () => `curl ${origin()}/v1/webhooks/transactions -H 'Content-Type: application/json' \\
  -d '{"transaction_id":"txn_1","source_account":"acc_a","destination_account":"acc_b","amount":1500,"currency":"INR"}'`;

const HEALTH = {ok: ['All is well', 'good'], attention: ['Needs attention', 'warn'], down: ['No worker lives', 'bad']};
const PROBLEM_LINKS = {
	no_worker: ['workers'], paused: ['workers'], source_paused: ['workers'], circuit_open: ['workers'], worker_silent: ['workers'],
	queue_old: ['workers'], dead_jobs: ['transactions', {status: 'FAILED'}], held: ['transactions', {status: 'FAILED'}], unreadable: ['validation-errors'],
};

function problemItem({code, detail}) {
	const [name, query] = PROBLEM_LINKS[code] ?? [];
	return h('li', {'data-key': code + detail}, detail, name && [' ', h('a', {href: linkTo([name], query)}, 'Look')]);
}

function health(data) {
	const [text, kind] = HEALTH[data.health] ?? [data.health, 'quiet'];
	return h('section', {class: 'card'},
		h('h2', null, h('span', {class: `badge ${kind}`}, text)),
		data.problems.length > 0 && h('ul', null, data.problems.map(problemItem)),
		data.paused && h('p', null, pausedText(data.paused)),
		h('p', {class: 'buttons'}, pauseButton(data.paused), data.operations_running > 0 && h('a', {href: linkTo(['operations'])},
			`${data.operations_running} ${data.operations_running === 1 ? 'operation runs' : 'operations run'}`)));
}

export function count(queue, name) {
	return queue.capped.includes(name) ? '10,000+' : (queue[name] ?? 0).toLocaleString('en');
}

// Without a job there is no oldest one.
export const oldest = ({oldest_age_ms: age}) => (age === null ? 'none' : duration(age / 1000));

const figure = (label, text, kind, link) => h('li', {class: kind, 'data-key': label}, h('span', {class: 'figure'}, text), link ? h('a', {href: link}, label) : label);

function numbers({queue, minutes}) {
	const lastWhole = minutes.at(-2);
	return h('ul', {class: 'numbers', 'aria-label': 'Numbers'},
		figure('accepted in the last minute', (lastWhole?.accepted ?? 0).toLocaleString('en')),
		figure('ready for a worker', count(queue, 'ready'), null, linkTo(['workers'])),
		figure('oldest job', oldest(queue), queue.oldest_age_ms > 60000 && 'warn', linkTo(['workers'])),
		figure('failed, given up', count(queue, 'dead'), queue.dead > 0 && 'bad', linkTo(['transactions'], {status: 'FAILED'})));
}

function lines(minutes) {
	const of = (name) => minutes.map((minute) => minute[name]);
	return {
		flow: [{label: 'accepted', color: 1, values: of('accepted')}, {label: 'processed', color: 2, values: of('processed'), dash: [6, 3]}],
		faults: [{label: 'failed', color: 3, values: of('failed')}, {label: 'refused', color: 4, values: of('refused'), dash: [6, 3]}],
	};
}

const labelsOf = (minutes) => minutes.map((minute) => minute.minute.slice(11, 16));

export const overview = {
	title: () => 'Overview',
	load: (route, signal) => get(['overview'], {signal}),
	render(data) {
		const labels = labelsOf(data.minutes);
		const {flow, faults} = lines(data.minutes);
		return [
			health(data), numbers(data),
			h('div', {class: 'charts'},
				chartFrame('chart-flow', 'Accepted and processed a minute (UTC)', labels, flow),
				chartFrame('chart-faults', 'Failed and refused a minute (UTC)', labels, faults)),
			h('section', null, data.sources.length > 0 ? sourcesTable(data.sources) : empty('No webhook has come yet. Send one:', FIRST_WEBHOOK())),
			h('section', null, h('h2', null, 'Workers'), data.workers.length > 0 ? workersTable(data.workers) : empty('No worker runs. Start one:', './payhook up')),
		];
	},
	shown(root, data) {
		const labels = labelsOf(data.minutes);
		const {flow, faults} = lines(data.minutes);
		drawChart('chart-flow', labels, flow);
		drawChart('chart-faults', labels, faults);
	},
	actions,
};
