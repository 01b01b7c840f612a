// json-server behind a check of the token: node serve.js PORT SHA-256-OF-THE-TOKEN, in the folder of db.json.
const { createHash } = require('node:crypto')
const jsonServer = require('json-server')

const [port, ...hashes] = process.argv.slice(2)
const known = new Set(hashes)

const server = jsonServer.create()
server.set('json spaces', 0) // as compact as the others' answers
server.use(jsonServer.defaults({ logger: false }))
server.use((request, response, next) => {
  const [scheme, token] = (request.get('Authorization') ?? '').split(' ')
  const isKnown = scheme === 'Bearer' && known.has(createHash('sha256').update(token ?? '').digest('hex'))
  if (isKnown) next()
  else response.sendStatus(401)
})
server.use(jsonServer.router('db.json'))
server.listen(port, '127.0.0.1')
