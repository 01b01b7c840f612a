// A receiver that verifies what Courant sends, before and after the secret was replaced.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { Webhook } from 'standardwebhooks'

const { COURANT_URL: base, COURANT_EMAIL: email, COURANT_PASSWORD: password } = process.env
const waiting = []
const receiver = createServer(async (request, response) => {
  const parts = []
  for await (const part of request) parts.push(part)
  response.writeHead(204).end()
  waiting.shift()?.({ headers: request.headers, body: Buffer.concat(parts) })
})
receiver.listen(0, '127.0.0.1')
await once(receiver, 'listening')

const signIn = await fetch(`${base}/login`, { method: 'POST', body: new URLSearchParams({ email, password }), redirect: 'manual' })
const cookie = signIn.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ')
async function call(method, path, body) {
  const answer = await fetch(base + path, { method, headers: { cookie }, body: body && JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return answer.status === 204 ? null : answer.json()
}
const next = () => new Promise((resolve) => waiting.push(resolve))
function expect(what, is) {
  if (!is) throw new Error(what)
  console.log(`ok: ${what}`)
}
function verifies({ body, headers }, secret) {
  try {
    return new Webhook(secret).verify(body.toString(), headers)
  } catch {
    return null
  }
}

const { id, secret } = await call('POST', '/api/webhooks', {
  url: `http://127.0.0.1:${receiver.address().port}/courant`,
  events: [{ type: 'price.negative', dataset: 'day-ahead-prices' }, { type: 'feed.late', dataset: 'afrr-energy' }],
  description: 'check',
})
async function test() {
  const sent = next()
  const delivery = await call('POST', `/api/webhooks/${id}/test`)
  return [await sent, delivery]
}
const [first, delivery] = await test()
expect('a delivery verifies', verifies(first, secret)?.type === 'test')
expect('its ID is that of the list', first.headers['webhook-id'] === delivery.id)
expect('a changed body does not verify', verifies({ ...first, body: Buffer.concat([first.body, Buffer.from(' ')]) }, secret) === null)
const again = next()
await call('POST', `/api/webhooks/${id}/deliveries/${delivery.id}/resend`)
expect('sent again it has the same ID', (await again).headers['webhook-id'] === delivery.id)
const replaced = (await call('POST', `/api/webhooks/${id}/secret`)).secret
const [both] = await test()
expect('both secrets verify while the former one is good', verifies(both, secret) && verifies(both, replaced))
await call('DELETE', `/api/webhooks/${id}`)
receiver.close()
