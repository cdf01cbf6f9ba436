// TAP output: each test is a sentence about behaviour and a function that throws when it does not hold.

const tests = [];

export const test = (name, run) => tests.push({name, run});

// Runs all, or those with a name that matches the regular expression in ONLY.
export async function runAll() {
	const chosen = tests.filter(({name}) => new RegExp(process.env.ONLY ?? '').test(name));
	let hasFailed = false;
	console.log(`1..${chosen.length}`);
	for (const [at, {name, run}] of chosen.entries()) {
		try {
			await run();
			console.log(`ok ${at + 1} - ${name}`);
		} catch (error) {
			hasFailed = true;
			console.log(`not ok ${at + 1} - ${name}`);
			console.log(String(error.stack ?? error).split('\n').map((line) => `# ${line}`).join('\n'));
		}
	}
	process.exitCode = hasFailed || chosen.length === 0 ? 1 : 0;
}
