import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { which } from '../helpers/programs/which.ts'
import { monitoringFile } from '../helpers/service/metrics.ts'

/** Each alert fires at what it is for, and at nothing else; and the operator finds what to do. */

const rulesFile = fileURLToPath(new URL('../../deploy/monitoring/alerts.yml', import.meta.url))
const alerts: string[] = parse(monitoringFile('alerts.yml')).groups[0].rules.map(
  ({ alert }: { alert: string }) => alert,
)

interface Trial {
  what: string
  /** What fires then, and nothing else. */
  fires: string[]
  at: string
  interval?: string
  /** Values in the notation of promtool, by what stands in place of `keyturn_…{job="keyturn",instance="a",…}`. */
  series: Record<string, string>
}

const UP = { up: '1x400' }

const TRIALS: Trial[] = [
  {
    what: 'all is well',
    fires: [],
    at: '90m',
    series: {
      ...UP,
      keyturn_database_up: '1x400',
      keyturn_disk_free_bytes: '4e9x400',
      keyturn_redis_up: '1x400',
      keyturn_database_waiting: '0x400',
      'keyturn_http_problems_total{code="internal_error"}': '0x400',
      keyturn_http_request_duration_seconds_count: '0+1x400',
      process_open_fds: '60x400',
      process_max_fds: '1024x400',
      keyturn_time_seconds: '1+15x400',
      'keyturn_build_info{version="0.2.0"}': '1x400',
      'keyturn_lockouts_total{method="totp"}': '0+0.1x400',
      keyturn_mail_oldest_seconds: '60x400',
      'keyturn_table_rows{table="sessions"}': '200000+1x400',
      nodejs_eventloop_lag_p99_seconds: '0.02x400',
    },
  },
  { what: 'a process that does not answer', fires: ['KeyturnDown'], at: '5m', series: { up: '1x8 0x20' } },
  { what: 'the same for half a minute', fires: [], at: '2m30s', series: { up: '1x8 0x20' } },
  {
    what: 'a container that is gone, and its name with it',
    fires: ['KeyturnAbsent'],
    at: '10m',
    series: { up: '1x8 stale' },
  },
  {
    what: 'a database that cannot be worked with',
    fires: ['KeyturnDatabaseDown'],
    at: '2m',
    series: { ...UP, keyturn_database_up: '0x40' },
  },
  {
    what: 'a Redis that is away',
    fires: ['KeyturnRedisDown'],
    at: '8m',
    series: { ...UP, keyturn_redis_up: '0x40' },
  },
  {
    what: 'requests that wait for a connection',
    fires: ['KeyturnConnectionsShort'],
    at: '8m',
    series: { ...UP, keyturn_database_waiting: '3x40' },
  },
  {
    what: 'a disk that fills',
    fires: ['KeyturnDiskFills'],
    at: '8m',
    series: { ...UP, keyturn_disk_free_bytes: '400000000x40' },
  },
  {
    what: 'one answer in ten that is unavailable, for minutes',
    fires: ['KeyturnUnavailable'],
    at: '10m',
    series: {
      ...UP,
      'keyturn_http_problems_total{code="unavailable"}': '0+10x40',
      keyturn_http_request_duration_seconds_count: '0+100x40',
    },
  },
  {
    what: 'one answer in a hundred that is',
    fires: [],
    at: '10m',
    series: {
      ...UP,
      'keyturn_http_problems_total{code="unavailable"}': '0+1x40',
      keyturn_http_request_duration_seconds_count: '0+100x40',
    },
  },
  {
    what: 'three of them in a night when no one else asks',
    fires: [],
    at: '6m',
    series: {
      ...UP,
      'keyturn_http_problems_total{code="unavailable"}': '0x10 3x40',
      keyturn_http_request_duration_seconds_count: '0x10 3x40',
    },
  },
  {
    what: 'an internal error',
    fires: ['KeyturnFaults'],
    at: '3m',
    series: { ...UP, 'keyturn_http_problems_total{code="internal_error"}': '0x8 1x40' },
  },
  {
    what: 'descriptors that run short',
    fires: ['KeyturnDescriptorsShort'],
    at: '8m',
    series: { ...UP, process_open_fds: '900x40', process_max_fds: '1024x40' },
  },
  {
    what: 'a clock that is half a minute behind',
    fires: ['KeyturnClockOff'],
    at: '8m',
    series: { ...UP, keyturn_time_seconds: '-30+15x40' },
  },
  {
    what: 'two versions for more than an hour',
    fires: ['KeyturnVersionsDiffer'],
    at: '70m',
    series: {
      ...UP,
      'keyturn_build_info{version="0.2.0"}': '1x400',
      'keyturn_build_info{version="0.3.0"}': '1x400',
    },
  },
  {
    what: 'a rolling upgrade',
    fires: [],
    at: '70m',
    series: {
      ...UP,
      'keyturn_build_info{version="0.2.0"}': '1x100 _x300',
      'keyturn_build_info{version="0.3.0"}': '_x80 1x320',
    },
  },
  {
    what: 'passwords that are refused, logins that are slow, and an event loop that is late',
    fires: ['KeyturnEventLoopBlocked', 'KeyturnOverloaded', 'KeyturnSlowLogins'],
    at: '18m',
    series: {
      ...UP,
      keyturn_hash_refused_total: '0+1x80',
      'keyturn_http_request_duration_seconds_bucket{route="/login",le="1"}': '0+1x80',
      'keyturn_http_request_duration_seconds_bucket{route="/login",le="2.5"}': '0+10x80',
      'keyturn_http_request_duration_seconds_bucket{route="/login",le="+Inf"}': '0+10x80',
      nodejs_eventloop_lag_p99_seconds: '0.5x80',
    },
  },
  {
    what: 'a person who guesses',
    fires: ['KeyturnGuessing'],
    at: '15m',
    series: { ...UP, 'keyturn_lockouts_total{method="totp"}': '0+1x80' },
  },
  {
    what: 'used refresh tokens',
    fires: ['KeyturnTokensReused'],
    at: '15m',
    series: { ...UP, 'keyturn_audit_events_total{event="refresh_token_reused"}': '0+1x80' },
  },
  {
    what: 'a table that grows by half in a day',
    fires: ['KeyturnTableGrows'],
    at: '26h',
    interval: '4m',
    series: {
      ...UP,
      'keyturn_table_rows{table="sessions"}': '200000+300x400',
      'keyturn_table_rows{table="accounts"}': '100+10x400',
    },
  },
  {
    what: 'mail that waits for a quarter of an hour',
    fires: ['KeyturnMailStuck'],
    at: '8m',
    series: { ...UP, keyturn_mail_oldest_seconds: '1000x40' },
  },
]

t.test('every alert is tried, and has its words on the page', async (t) => {
  const tried = new Set(TRIALS.flatMap(({ fires }) => fires))
  t.strictSame([...tried].sort(), alerts.toSorted())
  const page = readFileSync('docs/alerts.md', 'utf8')
  t.strictSame(
    [...page.matchAll(/^## (\w+)$/gm)].map(([, name]) => name),
    alerts,
    'in the same order',
  )
})

const promtool = which('promtool')
const skip = !promtool && 'promtool is missing, so the alerts are not tried: apt-get install prometheus'

t.test('each fires at what it is for, and at nothing else', { skip }, async (t) => {
  const labelled = (name: string) => {
    const [metric, labels = '}'] = name.split('{')
    return `${metric}{job="keyturn",instance="a",${labels}`
  }
  const folder = t.testdir()
  const files = TRIALS.map(({ what, fires, at, interval = '15s', series }, index) => {
    const trial = {
      name: what,
      interval,
      input_series: Object.entries(series).map(([name, values]) => ({ series: labelled(name), values })),
      promql_expr_test: [
        {
          expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
          eval_time: at,
          exp_samples: fires.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
        },
      ],
    }
    const file = `${folder}/${index}.yml`
    writeFileSync(
      file,
      JSON.stringify({ rule_files: [rulesFile], evaluation_interval: interval, tests: [trial] }),
    )
    return file
  })
  const { status, output } = run(promtool ?? '', ['test', 'rules', ...files])
  t.equal(status, 0, output)
})

function run(program: string, args: string[]): { status: number; output: string } {
  try {
    return { status: 0, output: execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' }) }
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    return { status: 1, output: stdout + stderr }
  }
}
