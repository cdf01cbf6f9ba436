// server.js PORT PROCESSES - the service that the row "peer" compares payhook with: what a good team would write in
// Node in an afternoon.  Fastify with a schema, pg with named statements, a transaction and its job in one durable
// statement, as many processes as cores.  PGHOST and the other variables of libpq name the database.

import cluster from 'node:cluster';
import Fastify from 'fastify';
import pg from 'pg';

const [port, processes] = process.argv.slice(2).map(Number);

const TABLES = `
  CREATE TABLE IF NOT EXISTS transactions (
    transaction_id text PRIMARY KEY,
    source_account text NOT NULL,
    destination_account text NOT NULL,
    amount numeric NOT NULL,
    currency text NOT NULL,
    status text NOT NULL DEFAULT 'PROCESSING',
    created_at timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz
  );
  CREATE TABLE IF NOT EXISTS jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id text NOT NULL
  )`;

const STORE = {
  name: 'store',
  text: `WITH stored AS (
      INSERT INTO transactions (transaction_id, source_account, destination_account, amount, currency)
      VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING transaction_id
    ) INSERT INTO jobs (transaction_id) SELECT transaction_id FROM stored`,
};

const SCHEMA = {
  body: {
    type: 'object',
    required: ['transaction_id', 'source_account', 'destination_account', 'amount', 'currency'],
    properties: {
      transaction_id: { type: 'string', minLength: 1, maxLength: 255 },
      source_account: { type: 'string', minLength: 1, maxLength: 255 },
      destination_account: { type: 'string', minLength: 1, maxLength: 255 },
      amount: { type: 'number', exclusiveMinimum: 0 },
      currency: { type: 'string', pattern: '^[A-Z]{3}$' },
    },
  },
  response: { 202: { type: 'object', properties: { message: { type: 'string' } } } },
};

async function serve() {
  const pool = new pg.Pool({ max: 10 });
  const app = Fastify({ bodyLimit: 65536 });
  app.post('/v1/webhooks/transactions', { schema: SCHEMA }, async (request, reply) => {
    const t = request.body;
    await pool.query({
      ...STORE,
      values: [t.transaction_id, t.source_account, t.destination_account, t.amount, t.currency],
    });
    reply.code(202);
    return { message: 'Accepted' };
  });
  await app.listen({ port, host: '127.0.0.1' });
}

if (cluster.isPrimary) {
  const client = new pg.Client();
  await client.connect();
  await client.query(TABLES);
  await client.end();
  for (let i = 0; i < processes; i++)
    cluster.fork();
  cluster.on('exit', () => process.exit(1));
} else {
  await serve();
}
