// Knex as it is used for this: read the tenants, and for one after another decrypt, connect, migrate.latest(), destroy.
// argv: the folder with the migrations
const crypto = require('crypto');
const makeKnex = require('knex');
const mysql = require('mysql2/promise');

const key = Buffer.from(process.env.DB_ENCRYPTION_KEY, 'utf8');
const ssl = process.env.BENCH_TLS ? { rejectUnauthorized: false } : undefined;

function open(sealed) {
  const [iv, text] = sealed.split(':');
  const decipher = crypto.createDecipheriv('aes-256-cbc', key, Buffer.from(iv, 'hex'));
  return Buffer.concat([decipher.update(Buffer.from(text, 'hex')), decipher.final()]).toString('utf8');
}

async function main() {
  const at = new URL(process.env.CENTRAL_DATABASE_URL);
  const central = await mysql.createConnection({
    host: at.hostname,
    port: Number(at.port || 3306),
    user: decodeURIComponent(at.username),
    password: decodeURIComponent(at.password),
    database: at.pathname.slice(1),
    ssl,
  });
  const [tenants] = await central.query("SELECT * FROM tenants WHERE status = 'ACTIVE'");
  await central.end();
  for (const tenant of tenants) {
    const knex = makeKnex({
      client: 'mysql2',
      connection: {
        host: tenant.db_host,
        port: tenant.db_port,
        user: tenant.db_user,
        password: open(tenant.db_password),
        database: tenant.db_name,
        ssl,
      },
      migrations: { directory: process.argv[2] },
    });
    try {
      const [, names] = await knex.migrate.latest();
      console.log(`${tenant.slug}: ${names.length} migrations`);
    } finally {
      await knex.destroy();
    }
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
