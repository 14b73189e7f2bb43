// BullMQ with LiquidJS and undici: one job a message, 64 at a time in each process.
const { Queue, Worker } = require("bullmq");
const { Liquid } = require("liquidjs");
const { Pool: Http } = require("undici");
const { Pool } = require("pg");

const connection = { path: process.env.PEER_SOCKET, maxRetriesPerRequest: null };
const db = new Pool({ connectionString: process.env.PEER_DSN.replace("postgres://", "postgresql://"), max: 8 });
const CONCURRENCY = 64;

async function enqueue() {
  const queue = new Queue("peer", { connection });
  const { rows } = await db.query("SELECT id FROM plain_message WHERE finished_at IS NULL");
  const options = { removeOnComplete: true };
  for (let at = 0; at < rows.length; at += 1000) {
    await queue.addBulk(rows.slice(at, at + 1000).map(({ id }) => ({ name: "deliver", data: { id }, opts: options })));
  }
  await queue.close();
  await db.end();
}

function work() {
  const engine = new Liquid();
  const [url, body] = [process.env.PEER_URL, process.env.PEER_BODY].map((text) => engine.parse(text));
  const base = process.env.PEER_SINK;
  const http = new Http(base, { connections: CONCURRENCY });
  const deliver = async (job) => {
    const found = await db.query(
      "SELECT p.* FROM plain_message m JOIN audience_profile p ON p.id = m.profile_id WHERE m.id = $1", [job.data.id]);
    const user = found.rows[0];
    const data = { user, custom: user.custom_attributes };
    const target = await engine.render(url, data);
    const headers = { "content-type": "application/json", "x-customer": user.external_id };
    const answer = await http.request({
      path: target.slice(base.length), method: "POST", headers, body: await engine.render(body, data) });
    await answer.body.dump();
    await db.query("UPDATE plain_message SET finished_at = now(), status = $1 WHERE id = $2",
      [answer.statusCode, job.data.id]);
  };
  new Worker("peer", deliver, { connection, concurrency: CONCURRENCY });
}

process.argv[2] === "enqueue" ? enqueue() : work();
