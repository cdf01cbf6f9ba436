// An nginx with the console's part of payhook's site, nginx/console.conf.in, before the played API.

import {spawn} from 'node:child_process';
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {createServer, connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {CHART, WEB} from './server.mjs';

const PARTS = fileURLToPath(new URL('../../nginx/', import.meta.url));

async function freePort() {
	const server = createServer();
	await new Promise((resolve) => {
		server.listen(0, '127.0.0.1', resolve);
	});
	const {port} = server.address();
	await new Promise((resolve) => {
		server.close(resolve);
	});
	return port;
}

const accepts = (port) => new Promise((resolve) => {
	const socket = connect(port, '127.0.0.1', () => socket.destroy(resolve(true)));
	socket.on('error', () => resolve(false));
});

// Until nginx listens, its port refuses.
async function listening(port, process) {
	while (!await accepts(port)) {
		if (process.exitCode !== null) {
			throw new Error(`nginx ended with ${process.exitCode}`);
		}
		await new Promise((resolve) => {
			setImmediate(resolve);
		});
	}
}

function configuration(port, api, site) {
	const temporary = ['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path tmp;`).join(' ');
	return `daemon off; pid nginx.pid; error_log stderr warn; events {} http { default_type application/octet-stream; access_log off; ${temporary}
		map $https $payhook_hsts { default ""; on "max-age=1"; }
		server { listen 127.0.0.1:${port}; server_tokens off;
			${site}
			location /console/api/ { proxy_pass ${new URL(api).origin}; } } }`;
}

// {url, close()}: the page by nginx, the API by the server with this address.
export async function nginxBefore(api) {
	const folder = await mkdtemp(join(tmpdir(), 'payhook-console-nginx-'));
	const port = await freePort();
	const site = (await readFile(join(PARTS, 'console.conf.in'), 'utf8')).replaceAll('@WEB@/', WEB).replaceAll('@CHART@', CHART).replaceAll('@PARTS@', PARTS);
	await mkdir(join(folder, 'tmp'));
	await writeFile(join(folder, 'nginx.conf'), `${process.getuid() === 0 ? 'user root; ' : ''}${configuration(port, api, site)}`);
	const nginx = spawn('/usr/sbin/nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {stdio: ['ignore', 'inherit', 'inherit']});
	await listening(port, nginx);
	return {
		url: `http://127.0.0.1:${port}/console/`,
		async close() {
			const ended = new Promise((resolve) => {
				nginx.on('exit', resolve);
			});
			nginx.kill('SIGTERM');
			await ended;
			await rm(folder, {recursive: true});
		},
	};
}
