import './register.ts'

/** Runs several commands of a Keyturn that has this factor, each of them one argument: a process for each takes long. */
const { runCommandLine } = await import('../../../src/cli/command-line.ts')
for (const command of process.argv.slice(2)) {
  const code = await runCommandLine(['node', 'keyturn', ...command.split(' ')])
  if (code !== 0) process.exit(code)
}
