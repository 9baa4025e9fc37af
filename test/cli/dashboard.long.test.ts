import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { freePort } from '../helpers/programs/free-port.ts'
import { sharedEnvironment, startProcess } from '../helpers/programs/process.ts'
import { remote } from '../helpers/programs/remote.ts'
import { which } from '../helpers/programs/which.ts'
import { eventually } from '../helpers/requests/eventually.ts'
import { dashboardQueries, isAnswered } from '../helpers/service/metrics.ts'
import { enrol } from '../helpers/service/service.ts'

const prometheus = which('prometheus')
const missing = !prometheus && 'prometheus is missing: apt-get install prometheus'
const alerts = fileURLToPath(new URL('../../deploy/monitoring/alerts.yml', import.meta.url))

t.test(
  'a real Prometheus scrapes the service, knows the rules and answers the dashboard',
  { skip: missing },
  async (t) => {
    const metricsPort = await freePort()
    const service = await startProcess(t, {
      ...(await sharedEnvironment(t)),
      METRICS_PORT: String(metricsPort),
    })
    const api = await startPrometheus(metricsPort)

    // Rates need two looks with something between them.
    await sleep(1500)
    const { accessToken } = await enrol(remote(service.url))
    await remote(service.url).post('/login', { username: 'ada', password: 'wrong' })
    await remote(service.url).get('/me', accessToken)
    for (const query of dashboardQueries().filter(isAnswered)) {
      const ask = () => api(`/api/v1/query?query=${encodeURIComponent(query)}`)
      t.match(await ask(), { status: 'success' }, query)
      await eventually(`${query} has an answer`, async () => (await ask()).data.result.length > 0)
    }
    const { data } = await api('/api/v1/rules')
    const rules: { name: string; health: string; state: string }[] = data.groups[0].rules
    t.ok(rules.length >= 10)
    // On a slow machine some wait for their five minutes (`pending`), such as that of the event loop.
    for (const { name, health, state } of rules) {
      t.equal(health, 'ok', name)
      t.not(state, 'firing', name)
    }
  },
)

/** @returns what asks its API. */
// biome-ignore lint/suspicious/noExplicitAny: a test looks into any answer
async function startPrometheus(metricsPort: number): Promise<(path: string) => Promise<any>> {
  const folder = t.testdir()
  writeFileSync(
    `${folder}/prometheus.yml`,
    JSON.stringify({
      global: { scrape_interval: '500ms', evaluation_interval: '500ms' },
      rule_files: [alerts],
      scrape_configs: [{ job_name: 'keyturn', static_configs: [{ targets: [`127.0.0.1:${metricsPort}`] }] }],
    }),
  )
  const port = await freePort()
  const child = spawn(
    prometheus ?? '',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  t.teardown(() => child.kill('SIGKILL'))
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into any answer
  const api = (path: string): Promise<any> =>
    fetch(`http://127.0.0.1:${port}${path}`).then((answer) => answer.json())
  const target = () =>
    api('/api/v1/targets').then(
      ({ data }) => data.activeTargets[0]?.health,
      () => 'not yet',
    )
  await eventually('Prometheus has scraped the service', async () => (await target()) === 'up')
  return api
}
