/**
 * The password hash alone by @node-rs/argon2, at the product's parameters, as many at a time as there are cores. Only a
 * service whose hash `keyturn build-hash` has compiled can log in faster.
 */

import { readConfig } from '../../../src/config.ts'
import { loadArgon2Engine } from '../../../src/crypto/argon2-engine.ts'

const PASSWORD = 'correct horse battery'
const { argon2, hashConcurrency } = readConfig(process.env)
const engine = await loadArgon2Engine('node-rs')
const phc = await engine.hash(PASSWORD, argon2)
let over = true
let steps = 0

async function loop(): Promise<void> {
  while (!over) {
    await engine.verify(phc, PASSWORD)
    steps += 1
  }
}

process.on('message', (message: { count?: 'start' | 'read' | 'stop' }) => {
  if (message.count === 'start') {
    over = false
    for (let i = 0; i < hashConcurrency; i += 1) loop()
  }
  if (message.count === 'stop') over = true
  if (message.count) process.send?.({ steps, engine: engine.name })
})
// There is nothing else to wait for.
process.channel?.ref()
process.send?.('ready')
