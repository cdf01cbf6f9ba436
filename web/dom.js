// Elements and text, and how a new state of a view gets onto the screen.
//
// Every value of the API becomes a text node or an attribute's value here, never markup: no function takes HTML.  A view builds
// the elements of its new state, and patch() changes the ones on the screen into these, so that focus, scroll positions,
// selected text, ticked boxes and open <details> stay.  Handlers are therefore not attached to elements: an element names its
// action in data-action, and the view finds it by delegation (main.js).

// h('a', {href: '#/', class: 'link'}, 'text', element, [elements], null): null, undefined and false are left out.
export function h(name, attributes, ...children) {
	const element = document.createElement(name);
	for (const [key, value] of Object.entries(attributes ?? {})) {
		if (value === true) {
			element.setAttribute(key, '');
		} else if (value !== null && value !== undefined && value !== false) {
			element.setAttribute(key, String(value));
		}
	}
	append(element, children);
	return element;
}

export function append(parent, children) {
	for (const child of [children].flat(Infinity)) {
		if (child !== null && child !== undefined && child !== false) {
			parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
		}
	}
}

// A copy of <template id="...">, with the texts and elements of `slots` in the elements that name them in data-slot.
export function fromTemplate(id, slots = {}) {
	const copy = document.getElementById(id).content.cloneNode(true);
	for (const [name, children] of Object.entries(slots)) {
		const slot = copy.querySelector(`[data-slot="${name}"]`);
		slot.replaceChildren();
		append(slot, children);
	}
	return copy;
}

const keyOf = (node) => node.dataset?.key;

// Attributes that belong to the person at the screen, once the element is there.
const OWNED = new Set(['open', 'value', 'checked']);

function patchAttributes(old, fresh) {
	for (const {name} of [...old.attributes]) {
		if (!OWNED.has(name) && !fresh.hasAttribute(name)) {
			old.removeAttribute(name);
		}
	}
	for (const {name, value} of fresh.attributes) {
		if (!OWNED.has(name) && old.getAttribute(name) !== value) {
			old.setAttribute(name, value);
		}
	}
}

function patchNode(old, fresh) {
	if (old.nodeType !== Node.ELEMENT_NODE) {
		if (old.nodeValue !== fresh.nodeValue) {
			old.nodeValue = fresh.nodeValue;
		}
	} else if (!old.hasAttribute('data-keep')) {
		patchAttributes(old, fresh);
		patch(old, fresh);
	}
}

// Gives `parent` the children of `fresh`.  Children with a data-key are the same ones as before by that key, others by their
// place and name.  What has gone is removed first: what stays in its order is not moved, since a moved element loses the focus.
export function patch(parent, fresh) {
	const wanted = new Set([...fresh.childNodes].map(keyOf).filter((key) => key !== undefined));
	const kept = new Map();
	for (const child of [...parent.childNodes]) {
		const key = keyOf(child);
		if (key !== undefined && wanted.has(key) && !kept.has(key)) {
			kept.set(key, child);
		} else if (key !== undefined) {
			child.remove();
		}
	}
	let at = parent.firstChild;
	for (const next of [...fresh.childNodes]) {
		const key = keyOf(next);
		const match = key === undefined ? at : kept.get(key);
		kept.delete(key);
		if (match && match.nodeName === next.nodeName && keyOf(match) === key) {
			if (match === at) {
				at = at.nextSibling;
			} else {
				parent.insertBefore(match, at);
			}
			patchNode(match, next);
		} else {
			parent.insertBefore(next, at);
		}
	}
	while (at) {
		const gone = at;
		at = at.nextSibling;
		gone.remove();
	}
}
