import { execFile } from 'node:child_process'
import { cpSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { instructionSetsIn } from '../../src/crypto/argon2-builds.ts'
import { projectWithOwnArgon2 } from '../helpers/programs/own-argon2.ts'

const run = promisify(execFile)

t.test('what a processor has is read from what Linux says about it', async (t) => {
  const cpuinfo = (flags: string) =>
    `processor\t: 0\nmodel name\t: avx2 of course\nflags\t\t: ${flags}\nbugs\t\t: avx512f\n`
  t.strictSame(instructionSetsIn(cpuinfo('fpu avx avx2 avx512f avx512dq')), ['avx512f', 'avx2'])
  t.strictSame(instructionSetsIn(cpuinfo('fpu avx avx2')), ['avx2'])
  t.strictSame(instructionSetsIn(cpuinfo('fpu avx avx512fp16')), [])
  t.strictSame(instructionSetsIn(''), [])
})

t.test('a build is used where the processor can run it, and nowhere else', async (t) => {
  const folder = projectWithOwnArgon2(t)
  const package_ = `${folder}/node_modules/argon2`
  const fileOf = (set: string) => {
    mkdirSync(`${package_}/keyturn/${set}/build/Release`, { recursive: true })
    return `${package_}/keyturn/${set}/build/Release/argon2.node`
  }
  /** Which engine each choice loads, and whether it hashes. */
  const loaded = async (...sets: string[]) => {
    const script = `
      const { loadArgon2Engine } = await import('${folder}/src/crypto/argon2-engine.ts')
      const names = {}
      for (const choice of ['auto', 'argon2', 'node-rs']) {
        const engine = await loadArgon2Engine(choice, ${JSON.stringify(sets)})
        const phc = await engine.hash('password', { memoryKib: 8, passes: 1, parallelism: 1 })
        names[choice] = await engine.verify(phc, 'password') && engine.name
      }
      const binaries = Object.keys((await import('node:module')).createRequire('${folder}/x.js').cache)
      console.log(JSON.stringify({ names, builds: binaries.filter((path) => path.includes('/keyturn/')).length }))`
    const child = await run('env', [
      '-u',
      'NODE_OPTIONS',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
    ])
    return JSON.parse(child.stdout)
  }
  const asItComes = { names: { auto: 'node-rs', argon2: 'argon2', 'node-rs': 'node-rs' }, builds: 0 }
  const builtFor = (set: string) => {
    const name = `argon2 built for ${set}`
    return { names: { auto: name, argon2: name, 'node-rs': 'node-rs' }, builds: 1 }
  }

  t.strictSame(await loaded('avx512f', 'avx2'), asItComes, 'none was built')

  const [binary = ''] = globSync(`${package_}/prebuilds/${process.platform}-${process.arch}/*glibc.node`)
  cpSync(binary, fileOf('avx2'))
  t.strictSame(await loaded('avx512f', 'avx2'), builtFor('avx2'))
  t.strictSame(await loaded(), asItComes, 'the folder was copied to an older processor')

  cpSync(binary, fileOf('avx512f'))
  t.strictSame(await loaded('avx512f', 'avx2'), builtFor('avx512f'))
  t.strictSame(await loaded('avx2'), builtFor('avx2'))

  writeFileSync(fileOf('avx512f'), 'a build of another system')
  t.strictSame(await loaded('avx512f', 'avx2'), asItComes, 'one that cannot be loaded is left aside')

  rmSync(`${package_}/keyturn`, { recursive: true })
  mkdirSync(`${package_}/build/Release`, { recursive: true })
  cpSync(binary, `${package_}/build/Release/own.node`)
  t.strictSame(
    await loaded('avx512f', 'avx2'),
    asItComes,
    "someone's own build of the package changes nothing",
  )
})
