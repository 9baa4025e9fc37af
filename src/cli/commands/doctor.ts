import type { Command } from 'commander'
import type { Finding } from '../doctor/finding.ts'
import { answer } from '../terminal.ts'

const ABOUT = `
It changes nothing. Each line says what it found and, if something is wrong, what to do. The exit code is 1 if a line
says fail.

Examples:
  keyturn doctor
  keyturn doctor --json | jq '.findings[] | select(.status != "ok")'`

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check what the service needs: settings, database, keys, clock, mail, Redis, proxy, disk')
    .addHelpText('after', ABOUT)
    .action(async (_options, command: Command) => {
      const { examine } = await import('../doctor/examine.ts')
      const findings = await examine(process.env)
      const healthy = !findings.some(({ status }) => status === 'fail')
      answer(command, {
        json: { healthy, findings },
        text: findings.map(describe).join('\n'),
        accents: VERDICTS,
      })
      if (!healthy) process.exitCode = 1
    })
}

const VERDICTS = [
  [/^ok\b/gm, 'green'],
  [/^warn\b/gm, 'yellow'],
  [/^fail\b/gm, 'red'],
] as const

function describe({ check, status, found, advice }: Finding): string {
  const line = `${status.padEnd(4)}  ${check.padEnd(9)}  ${found}`
  return advice ? `${line}\n${' '.repeat(17)}${advice}` : line
}
