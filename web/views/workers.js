// Workers and queue: how much waits, in which state and why, and what claims it.

import {get} from '../api.js';
import {h} from '../dom.js';
import {empty, facts} from '../parts.js';
import {linkTo} from '../router.js';
import {actions, pausedText, pauseButton} from './acts.js';
import {sourcesTable, workersTable} from './fleet.js';
import {FIRST_WEBHOOK, count, oldest} from './overview.js';

const STATES = [
	['ready', 'Ready', 'a worker can claim it now'],
	['claimed', 'Claimed', 'a worker has it'],
	['waiting', 'Waiting', 'for the time of its retry'],
	['parked', 'Parked', 'behind an earlier one of its payment'],
	['held', 'Held', 'failed, and holds the later ones of its payment: retry or skip it'],
	['dead', 'Failed', 'given up'],
];

function queueFacts(queue) {
	const failed = (name, text) => (['held', 'dead'].includes(name) ? h('a', {href: linkTo(['transactions'], {status: 'FAILED'})}, text) : text);
	return facts([
		...STATES.map(([name, label, meaning]) => [label, [failed(name, count(queue, name)), h('p', {class: 'note'}, meaning)]]),
		['Oldest job', oldest(queue)],
	]);
}

export const workers = {
	title: () => 'Workers and queue',
	load: (route, signal) => get(['overview'], {signal}),
	render: (data) => [
		h('section', {class: 'card'}, h('h2', null, 'Queue'), data.paused && h('p', {class: 'banner'}, pausedText(data.paused)), queueFacts(data.queue),
			h('p', {class: 'buttons'}, pauseButton(data.paused))),
		h('section', null, h('h2', null, 'Workers'), data.workers.length > 0 ? workersTable(data.workers)
			: empty('No worker runs: jobs wait until one does. Start one:', './payhook up        # or: systemctl start payhook-worker@1')),
		h('section', null, data.sources.length > 0 ? sourcesTable(data.sources) : empty('No webhook has come yet. Send one:', FIRST_WEBHOOK())),
	],
	actions,
};
