// Times and durations.  A time is shown relative to the server's clock, and exactly, in UTC, on hover and for screen readers.

import {h} from './dom.js';

// Milliseconds that the server's clock is ahead of this one, by the Date header of its answers.
let ahead = 0;

export function setServerTime(date) {
	const time = Date.parse(date);
	// Whole seconds: a smaller difference is no difference.
	if (!Number.isNaN(time) && Math.abs(time - Date.now() - ahead) > 2000) {
		ahead = time - Date.now();
	}
}

export const now = () => Date.now() + ahead;

const UNITS = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];

// "3 min", "2 h 5 min", "1.4 s", "230 ms" of a number of seconds.
export function duration(seconds) {
	if (seconds === null || seconds === undefined) {
		return '–';
	}
	if (seconds < 0) {
		return `-${duration(-seconds)}`;
	}
	if (seconds < 1) {
		return `${Math.round(seconds * 1000)} ms`;
	}
	if (seconds < 10) {
		return `${Math.round(seconds * 10) / 10} s`;
	}
	const whole = Math.round(seconds);
	const first = UNITS.findIndex(([size]) => whole >= size);
	const [size, unit] = UNITS[first];
	const rest = UNITS[first + 1];
	const remainder = rest ? Math.floor((whole % size) / rest[0]) : 0;
	return `${Math.floor(whole / size)} ${unit}${remainder > 0 ? ` ${remainder} ${rest[1]}` : ''}`;
}

function relative(time) {
	const seconds = (now() - time) / 1000;
	if (Math.abs(seconds) < 1) {
		return 'now';
	}
	const text = duration(Math.abs(seconds) < 10 ? Math.sign(seconds) * Math.floor(Math.abs(seconds)) : Math.abs(seconds));
	return seconds < 0 ? `in ${text.replace('-', '')}` : `${text} ago`;
}

// "2026-11-30 00:41:07.123 UTC"
export const exact = (time) => `${new Date(time).toISOString().replace('T', ' ').replace('Z', '')} UTC`;

// <time> of an RFC 3339 text; a dash if there is none, and the text itself if it is no time.
export function timeOf(text, {isExact = false} = {}) {
	if (text === null || text === undefined) {
		return '–';
	}
	const time = Date.parse(text);
	if (Number.isNaN(time)) {
		return String(text);
	}
	const shown = isExact ? `${exact(time)} (${relative(time)})` : relative(time);
	return h('time', {datetime: text, title: exact(time), 'data-exact': isExact}, shown);
}

// The relative texts below `root`, when no new answer brings new ones.
export function updateTimes(root) {
	for (const element of root.querySelectorAll('time[datetime]')) {
		const time = Date.parse(element.dateTime);
		const text = element.hasAttribute('data-exact') ? `${exact(time)} (${relative(time)})` : relative(time);
		if (element.textContent !== text) {
			element.textContent = text;
		}
	}
}
