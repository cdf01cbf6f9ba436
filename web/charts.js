// Line charts by Chart.js, which nginx serves from Debian's package; it is a classic script, and so `Chart` is global.  A canvas is
// nothing to a screen reader: each chart has the same figures as a table beside it.

import {h} from './dom.js';

const drawn = new WeakMap();

// lines: [{label, color: 1..4, values}]
export function chartFrame(id, title, labels, lines) {
	const rows = labels.map((label, at) => [label, ...lines.map((line) => line.values[at])]).reverse().slice(0, 60);
	const last = lines.map((line) => `${line.label} ${line.values.at(-1) ?? 0}`).join(', ');
	return h('section', {class: 'card', 'data-key': id},
		h('h2', null, title),
		h('div', {class: 'chart', 'data-keep': true}, h('canvas', {id, role: 'img', 'aria-label': `${title}: a chart; its figures are in the table below it`})),
		h('p', {class: 'note'}, `Last minute: ${last}.`),
		h('details', null, h('summary', null, 'As a table'), h('table', null,
			h('caption', {class: 'unseen'}, title),
			h('thead', null, h('tr', null, h('th', {scope: 'col'}, 'Minute'), lines.map((line) => h('th', {scope: 'col', class: 'number'}, line.label)))),
			h('tbody', null, rows.map((row) => h('tr', null, h('td', {'data-label': 'Minute'}, row[0]),
				row.slice(1).map((each, at) => h('td', {class: 'number', 'data-label': lines[at].label}, each ?? '–'))))))));
}

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options() {
	const axis = () => ({ticks: {color: css('--soft'), maxRotation: 0, autoSkip: true, maxTicksLimit: 7}, grid: {color: css('--line')}});
	return {
		animation: false, responsive: true, maintainAspectRatio: false, normalized: true,
		interaction: {mode: 'index', intersect: false},
		elements: {point: {radius: 0, hitRadius: 8}, line: {borderWidth: 2, tension: 0}},
		plugins: {legend: {labels: {color: css('--text'), boxHeight: 2}}},
		scales: {x: axis(), y: {...axis(), beginAtZero: true, suggestedMax: 5}},
	};
}

// Draws, or brings up to date, the chart of the frame with this id.
export function drawChart(id, labels, lines) {
	const canvas = document.getElementById(id);
	if (!canvas || !globalThis.Chart) {
		return;
	}
	const scheme = css('--text');
	const datasets = lines.map((line) => ({
		label: line.label, data: line.values, borderColor: css(`--chart-${line.color}`), backgroundColor: css(`--chart-${line.color}`),
		borderDash: line.dash,
	}));
	let chart = drawn.get(canvas);
	if (chart && chart.scheme !== scheme) {
		chart.destroy();
		chart = null;
	}
	if (!chart) {
		chart = new globalThis.Chart(canvas, {type: 'line', data: {labels, datasets}, options: options()});
		chart.scheme = scheme;
		drawn.set(canvas, chart);
		return;
	}
	chart.data.labels = labels;
	chart.data.datasets.forEach((each, at) => {
		each.data = datasets[at].data;
	});
	chart.update('none');
}

// A chart keeps its canvas in a list of Chart.js until it is destroyed.
export function destroyCharts(root) {
	for (const canvas of root.querySelectorAll('canvas')) {
		drawn.get(canvas)?.destroy();
		drawn.delete(canvas);
	}
}
