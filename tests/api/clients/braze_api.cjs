// What the Node client braze-api does in a day, against the server in the environment.
const assert = require('node:assert')
const { Braze } = require('braze-api')

const { API_URL, API_KEY, CAMPAIGN, CANVAS, SEGMENT } = process.env
const braze = new Braze(API_URL, API_KEY)
const later = new Date(Date.now() + 3600_000).toISOString()

async function main() {
  const tracked = await braze.users.track(
    { attributes: [{ external_id: 'ada', first_name: 'Ada' }], events: [{ external_id: 'ada', name: 'visited', time: new Date().toISOString() }] },
    true,
  )
  assert.strictEqual(tracked.events_processed, 1)
  await braze.users.alias.new({ user_aliases: [{ external_id: 'ada', alias_name: 'a-1', alias_label: 'crm' }] })
  const exported = await braze.users.export.ids({ external_ids: ['ada'], fields_to_export: ['user_aliases'] })
  assert.deepStrictEqual(exported.users, [{ user_aliases: [{ alias_name: 'a-1', alias_label: 'crm' }] }])

  const sent = await braze.campaigns.trigger.send({ campaign_id: CAMPAIGN, recipients: [{ external_user_id: 'ada' }] })
  assert.strictEqual(sent.message, 'success')
  const planned = await braze.campaigns.trigger.schedule.create({ campaign_id: CAMPAIGN, broadcast: true, schedule: { time: later } })
  await braze.campaigns.trigger.schedule.delete({ campaign_id: CAMPAIGN, schedule_id: planned.schedule_id })
  const entered = await braze.canvas.trigger.send({ canvas_id: CANVAS, recipients: [{ external_user_id: 'ada' }], canvas_entry_properties: { shop: 'A' } })
  assert.ok(entered.dispatch_id)
  const webhook = { url: 'https://example.com/', request_method: 'POST', body: 'Hi' }
  assert.ok((await braze.messages.send({ external_user_ids: ['ada'], messages: { webhook } })).dispatch_id)

  assert.strictEqual((await braze.campaigns.list()).campaigns[0].id, CAMPAIGN)
  assert.strictEqual((await braze.canvas.list()).canvases[0].id, CANVAS)
  assert.strictEqual((await braze.campaigns.details({ campaign_id: CAMPAIGN })).draft, false)
  assert.strictEqual((await braze.segments.list()).segments[0].id, SEGMENT)
  assert.strictEqual((await braze.segments.analytics({ segment_id: SEGMENT, length: 2 })).data.length, 2)
  assert.ok((await braze.sends.id.create({ campaign_id: CAMPAIGN })).send_id)
  const block = await braze.templates.content_blocks.create({ name: 'footer', content: 'Bye', tags: [] })
  assert.ok(block.content_block_id)
  assert.deepStrictEqual((await braze.catalogs.synchronous.list()).catalogs, [])

  await assert.rejects(braze.campaigns.trigger.send({ campaign_id: 'nonsense', broadcast: true }), /campaign_id/)
  await assert.rejects(new Braze(API_URL, 'nonsense').campaigns.list(), /Invalid API key/)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
