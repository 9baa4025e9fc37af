import type { Command } from 'commander'

const ABOUT = `
Settings come from the environment and the file .env of this folder; keyturn init makes one. On a terminal it shows its
address and a log for people, elsewhere one JSON document a line.

Example:
  PORT=3000 keyturn serve`

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('run the service until SIGTERM or Ctrl+C ends it')
    .addHelpText('after', ABOUT)
    .action(async () => {
      await import('../../server.ts')
    })
}
