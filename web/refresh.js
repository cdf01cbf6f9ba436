// Asks for a view's data again and again: 2 s after each answer, not while the tab is hidden, and at once when it is seen again.

const PAUSE_MS = 2000;

export class Refresh {
	// load(signal) -> data; onData(data); onError(error), after which it goes on.
	constructor({load, onData, onError}) {
		Object.assign(this, {load, onData, onError, timer: null, controller: null, isStopped: false});
		this.onVisibility = () => (document.hidden ? this.pause() : this.run());
		document.addEventListener('visibilitychange', this.onVisibility);
	}

	async run() {
		this.pause();
		const controller = new AbortController();
		this.controller = controller;
		try {
			const data = await this.load(controller.signal);
			if (!controller.signal.aborted) {
				this.onData(data);
			}
		} catch (error) {
			if (!controller.signal.aborted) {
				this.onError(error);
			}
		}
		if (!controller.signal.aborted && !this.isStopped && !document.hidden) {
			this.timer = setTimeout(() => this.run(), PAUSE_MS);
		}
	}

	pause() {
		clearTimeout(this.timer);
		this.controller?.abort();
	}

	stop() {
		this.isStopped = true;
		document.removeEventListener('visibilitychange', this.onVisibility);
		this.pause();
	}
}
