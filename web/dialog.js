// The one dialog: what an act will do, its reason, and whether to do it.

import {append} from './dom.js';

const part = (id) => document.getElementById(id);

// ask({title, body, confirm: 'Retry', reason: 'required' | 'optional' | 'none', isDanger}) -> {reason}, or null if it was cancelled.
export function ask({title, body, confirm, reason = 'optional', isDanger = false, isDisabled = false}) {
	const dialog = part('dialog');
	const input = part('dialog-reason');
	part('dialog-title').textContent = title;
	part('dialog-body').replaceChildren();
	append(part('dialog-body'), [body]);
	part('dialog-reason-part').hidden = reason === 'none';
	input.required = reason === 'required';
	// Blanks are no reason.  An empty input is no matter of the pattern.
	input.pattern = input.required ? '.*\\S.*' : '.*';
	input.value = '';
	part('dialog-confirm').textContent = confirm;
	part('dialog-confirm').disabled = isDisabled;
	part('dialog-confirm').className = isDanger ? 'danger' : 'main';
	dialog.returnValue = '';
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener('close', () => resolve(dialog.returnValue === 'confirm' ? {reason: input.value.trim()} : null), {once: true});
	});
}
