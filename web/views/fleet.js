// The tables of sources and of workers, which two views show.

import {h} from '../dom.js';
import {table, value} from '../parts.js';
import {linkTo} from '../router.js';
import {duration, timeOf} from '../times.js';
import {pausedText, pauseButton} from './acts.js';

const number = (each) => (each ?? 0).toLocaleString('en');

function sourceState(row) {
	return [
		row.is_silent && h('span', {class: 'badge warn'}, `silent for ${duration(row.silent_ms / 1000)}`), ' ',
		row.paused && [h('span', {class: 'badge bad'}, 'paused'), ' ', h('span', {class: 'note'}, pausedText(row.paused))],
		!row.is_silent && !row.paused && h('span', {class: 'badge good'}, 'active'),
	];
}

export function sourcesTable(sources) {
	return table({
		caption: 'Sources', rows: sources, keyOf: (row) => row.source,
		columns: [
			{label: 'Source', cell: (row) => h('a', {href: linkTo(['transactions'], {source: row.source})}, value(row.source))},
			{label: 'State', cell: sourceState},
			{label: 'Last accepted', cell: (row) => timeOf(row.last_accepted_at)},
			{label: 'A minute', isNumber: true, cell: (row) => number(row.accepted_per_minute)},
			{label: 'Accepted, 1 h', isNumber: true, cell: (row) => number(row.accepted_hour)},
			{label: 'Processed, 1 h', isNumber: true, cell: (row) => number(row.processed_hour)},
			{label: 'Failed, 1 h', isNumber: true, cell: (row) => number(row.failed_hour)},
			{label: 'Refused, 1 h', isNumber: true, cell: (row) => number(row.refused_hour)},
			{label: 'Last refused', cell: (row) => (row.last_refused_at ? h('a', {href: linkTo(['auth-failures'], {source: row.source})}, timeOf(row.last_refused_at)) : '–')},
			{label: 'Act', cell: (row) => pauseButton(row.paused, row.source)},
		],
	});
}

function workerState(row) {
	if (!row.is_alive) {
		return h('span', {class: 'badge bad'}, 'no heartbeat');
	}
	return row.circuit_open_since
		? [h('span', {class: 'badge warn'}, 'circuit open'), ' since ', timeOf(row.circuit_open_since), ': it probes the processor, one call at a time']
		: h('span', {class: 'badge good'}, 'working');
}

export function workersTable(workers) {
	return table({
		caption: h('span', {class: 'unseen'}, 'Workers'), rows: workers, keyOf: (row) => `${row.host}/${row.pid}/${row.started_at}`,
		columns: [
			{label: 'Worker', cell: (row) => value(`${row.host} ${row.pid}`)},
			{label: 'State', cell: workerState},
			{label: 'Heartbeat', cell: (row) => timeOf(row.beat_at)},
			{label: 'In flight', isNumber: true, cell: (row) => number(row.in_flight)},
			{label: 'Processor', cell: (row) => row.processor ?? 'not known'},
			{label: 'Version', cell: (row) => value(row.version)},
			{label: 'Started', cell: (row) => timeOf(row.started_at)},
		],
	});
}
