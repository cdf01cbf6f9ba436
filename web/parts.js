// The parts that views are made of: tables, badges, notes, empty states, values.

import {fromTemplate, h} from './dom.js';
import {linkTo} from './router.js';

// A value as it came, isolated so that its writing direction ends with it; a dash if there is none.
export const value = (text) => (text === null || text === undefined || text === '' ? '–' : h('bdi', {class: 'value'}, text));

// Characters that change how a text looks without being seen: controls, direction marks, zero-width characters, fillers.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]/gu;

// A note that names such characters of a text; null if it has none.
export function hiddenNote(text) {
	const found = new Set(String(text ?? '').match(HIDDEN) ?? []);
	if (found.size === 0) {
		return null;
	}
	const names = [...found].slice(0, 8).map((each) => `U+${each.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`);
	return h('p', {class: 'note'}, `Contains characters that are not seen: ${names.join(', ')}${found.size > 8 ? ', …' : ''}.`);
}

const STATUS_CLASSES = {
	PROCESSED: 'good', PROCESSING: 'busy', FAILED: 'bad', done: 'good', running: 'busy', canceled: 'quiet', nothing: 'quiet', failed: 'bad',
	ready: 'busy', claimed: 'busy', waiting: 'warn', held: 'bad', parked: 'warn', succeeded: 'good', processed: 'good',
	retried: 'warn', refused: 'bad', probed: 'warn', postponed: 'quiet', unknown: 'warn',
};

export const badge = (status) => h('span', {class: `badge ${STATUS_CLASSES[status] ?? 'quiet'}`}, status ?? '–');

export const transactionLink = (source, id) => h('a', {href: linkTo(['transactions', source, id])}, value(id));
export const paymentLink = (source, id) => (id ? h('a', {href: linkTo(['payments', source, id])}, value(id)) : '–');

export const money = (amount, currency) => (amount === null || amount === undefined ? '–' : [h('span', {class: 'number'}, amount), ' ', currency ?? '']);

// columns: [{name, label, cell(row), isNumber}].  The roles are explicit because a narrow screen shows rows as blocks, and a
// block is no row to a screen reader otherwise.
export function table({caption, columns, rows, keyOf, isSelected}) {
	const head = columns.map((column) => h('th', {role: 'columnheader', scope: 'col', class: column.isNumber && 'number'}, column.label));
	const body = rows.map((row) => h('tr', {role: 'row', 'data-key': keyOf?.(row), class: isSelected?.(row) && 'selected'},
		columns.map((column) => h('td', {role: 'cell', 'data-label': column.name ?? column.label, class: column.isNumber && 'number'}, column.cell(row)))));
	return h('table', {role: 'table'},
		h('caption', null, caption),
		h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, head)),
		h('tbody', {role: 'rowgroup'}, body));
}

// [[name, value]...]; pairs that are null are left out.
export function facts(pairs) {
	return h('dl', {class: 'facts'}, pairs.filter(Boolean).map(([name, content]) => h('div', null, h('dt', null, name), h('dd', null, content))));
}

// What to do next where there is nothing to show: a sentence and a command to copy.
export const empty = (sentence, command = null) => h('div', {class: 'empty'}, h('p', null, sentence), command && h('pre', {tabindex: '0'}, h('code', null, command)));

export function errorBox(error) {
	return fromTemplate('error', {
		title: error.status === undefined ? 'The page failed' : `${error.status || ''} ${error.title}`.trim(),
		detail: error.detail ?? error.message,
		request: error.requestId ? ['Request id ', h('code', null, error.requestId), '; the logs have it too.'] : null,
	});
}

export const button = (label, action, data = {}, attributes = {}) => h('button', {
	type: 'button', 'data-action': action, ...Object.fromEntries(Object.entries(data).map(([name, each]) => [`data-${name}`, each])), ...attributes,
}, label);

// The first lines of a long text, and the rest behind a press.
export function longText(text, limit = 160) {
	if (!text || text.length <= limit) {
		return value(text);
	}
	return h('details', null, h('summary', null, value(`${[...text].slice(0, limit).join('')}…`)), value(text));
}

export const origin = () => location.origin;
