// The console's page: sign-in, the address of the view, its refresh and its actions.
//
// A view is an object: title(route), load(route, signal, state) -> data, render(data, route, state) -> elements, and optionally
// frame(route) -> elements that are made once, mounted(root, route), shown(root, data, state) after each refresh, submit(form,
// context), changed(element, context), and actions by their names in data-action.

import {Problem, forgetKey, get, key, setKey} from './api.js';
import {destroyCharts} from './charts.js';
import {append, fromTemplate, h, patch} from './dom.js';
import {errorBox} from './parts.js';
import {Refresh} from './refresh.js';
import {linkTo, parseRoute} from './router.js';
import {exact, now, updateTimes} from './times.js';
import {viewOf} from './views/views.js';

const STALE_MS = 10000;
const part = (id) => document.getElementById(id);
let current = null; // {view, route, state, refresh, lastAt, lastError, live}

function showResult(...children) {
	part('result').replaceChildren();
	append(part('result'), children);
}

function setTitle(title) {
	part('heading').textContent = title;
	document.title = `${title} – payhook console`;
}

// ---- Sign-in

function leaveView() {
	current?.refresh?.stop();
	part('dialog').close();
	destroyCharts(part('view'));
	current = null;
	part('stale').hidden = true;
	document.body.classList.remove('is-stale');
	part('updated').textContent = '';
}

function showSignIn(reason = null) {
	leaveView();
	for (const id of ['nav', 'search', 'sign-out']) {
		part(id).hidden = true;
	}
	part('signed-in').textContent = '';
	showResult();
	setTitle('Sign in');
	part('view').replaceChildren(fromTemplate('sign-in', {
		reason, command: './payhook key --save alice read operate payload   # prints the key once, and how it comes into force\n'
			+ 'payhook key alice read operate payload            # the package: add the entry to API_KEYS_FILE, then reload',
	}));
	part('key').focus();
}

// A key is tried by one request before it is kept.
async function signIn(text) {
	setKey(text);
	try {
		await get(['overview']);
		showRoute();
		part('heading').focus();
	} catch (error) {
		forgetKey();
		if (error instanceof Problem && error.status === 401) {
			showSignIn(text === '' ? `Reading without a key is not allowed here: ${withRequest(error.detail, error)}`
				: withRequest('This key was not accepted: payhook does not have it, or it has expired. A new one is good after a reload, or after a restart if it is the first', error));
			return;
		}
		showSignIn(withRequest(error.message, error));
		// It was not refused, so it need not be typed again.
		part('key').value = text;
	}
}

const withRequest = (text, error) => `${text}.${error.requestId ? ` Request id ${error.requestId}.` : ''}`;

function signOut() {
	forgetKey();
	showSignIn('Signed out.');
}

// ---- The view

function update(data) {
	const {view, route, state, live} = current;
	current.lastAt = now();
	current.lastError = null;
	current.data = data;
	const fresh = h('div');
	append(fresh, [view.render(data, route, state)]);
	patch(live, fresh);
	view.shown?.(live, data, state);
	showAge();
}

function fail(error) {
	if (error instanceof Problem && error.status === 401) {
		const reason = key() === '' ? `Reading without a key is not allowed any more: ${error.detail}` : 'This key is not accepted any more: it was removed, or it has expired';
		forgetKey();
		showSignIn(withRequest(reason, error));
		return;
	}
	if (!(error instanceof Problem)) {
		console.error(error);
	}
	current.lastError = error;
	if (current.lastAt === null) {
		current.live.replaceChildren(errorBox(error));
	}
	showAge();
}

// When data is old, the page is marked, with the reason.
function showAge() {
	if (!current) {
		return;
	}
	const {lastAt, lastError} = current;
	const isOld = lastAt !== null && (lastError !== null || now() - lastAt > STALE_MS);
	document.body.classList.toggle('is-stale', isOld);
	part('updated').textContent = lastAt === null ? '' : `Updated ${exact(lastAt)}. Refreshed every 2 s while this tab is seen.`;
	part('stale').hidden = !isOld;
	const text = isOld ? `This data is old, from ${exact(lastAt).slice(11, 19)} UTC.${lastError ? ` ${withRequest(lastError.message, lastError)}` : ''}` : '';
	if (part('stale').textContent !== text) {
		part('stale').textContent = text;
	}
}

function showNavigation(name) {
	for (const id of ['nav', 'search', 'sign-out']) {
		part(id).hidden = false;
	}
	part('signed-in').textContent = key() === '' ? 'Without a key' : 'Signed in by key';
	for (const link of part('nav').children) {
		if (link.dataset.view === name) {
			link.setAttribute('aria-current', 'page');
		} else {
			link.removeAttribute('aria-current');
		}
	}
}

function showRoute({focus = false} = {}) {
	if (key() === null) {
		showSignIn();
		return;
	}
	leaveView();
	const route = parseRoute(location.hash);
	const {name, view} = viewOf(route.segments);
	const live = h('div', {id: 'live'}, h('p', {class: 'note'}, 'Loading …'));
	showNavigation(name);
	showResult();
	setTitle(view.title(route));
	part('view').replaceChildren();
	append(part('view'), [view.frame?.(route), live]);
	const state = view.state?.(route) ?? {};
	current = {view, route, state, live, lastAt: null, lastError: null, data: null};
	current.refresh = new Refresh({load: (signal) => view.load(route, signal, state), onData: update, onError: fail});
	view.mounted?.(part('view'), route);
	if (focus) {
		part('heading').focus();
		scrollTo(0, 0);
	}
	current.refresh.run();
}

// What a view's actions get.
function context() {
	const {route, state, data, refresh} = current;
	return {
		route, state, data, showResult,
		again: () => refresh.run(),
		redraw: () => current?.data && update(current.data),
		go: (segments, query) => {
			location.hash = linkTo(segments, query);
		},
	};
}

// Runs an action of the view, one at a time; what it throws is shown.  The button is not disabled meanwhile: it would lose the focus,
// which a dialog gives back when it is closed.
let isActing = false;

async function act(action, element) {
	const asked = current;
	if (isActing) {
		return;
	}
	isActing = true;
	try {
		await action(element, context());
	} catch (error) {
		if (error instanceof Problem && error.status === 401) {
			fail(error);
		} else {
			showResult(errorBox(error));
			part('result').scrollIntoView({block: 'nearest'});
		}
	} finally {
		isActing = false;
	}
	if (current === asked && current) {
		current.refresh.run();
	}
}

// ---- Events

document.addEventListener('click', (event) => {
	const element = event.target.closest('[data-action]');
	if (event.target.closest('[data-skip]')) {
		// Not by the fragment, which is the address of the view.
		event.preventDefault();
		part('content').focus();
	} else if (event.target.id === 'without-key') {
		signIn('');
	} else if (event.target.id === 'sign-out') {
		signOut();
	} else if (element && current?.view.actions?.[element.dataset.action]) {
		act(current.view.actions[element.dataset.action], element);
	}
});
document.addEventListener('change', (event) => current?.view.changed?.(event.target, context()));
document.addEventListener('submit', (event) => {
	const form = event.target;
	if (form.getAttribute('method') === 'dialog') {
		return;
	}
	event.preventDefault();
	// Not form.id, which is the field of that name where there is one.
	const id = form.getAttribute('id');
	if (id === 'sign-in-form') {
		signIn(part('key').value.trim());
	} else if (id === 'search') {
		const text = part('search-text').value;
		if (text !== '') {
			location.hash = linkTo(['transactions'], {id: text});
		}
	} else {
		current?.view.submit?.(form, context());
	}
});
window.addEventListener('hashchange', () => showRoute({focus: true}));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => current?.data && update(current.data));
setInterval(() => {
	if (!document.hidden && current) {
		updateTimes(part('view'));
		showAge();
	}
}, 1000);
showRoute();
