import type { Command } from 'commander'

const ABOUT = `
It reads its settings from the environment and from the file .env in this folder, which keyturn init writes. On a terminal
it shows its address and a log for people; elsewhere it logs one JSON document a line.

Example:
  PORT=3000 keyturn serve`

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('run the service until SIGTERM or Ctrl+C')
    .addHelpText('after', ABOUT)
    .action(async () => {
      await import('../../server.ts')
    })
}
