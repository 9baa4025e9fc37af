const LOOK_EVERY_MS = 250

/**
 * Under `npx` a shell stands between npm and this process. When npm is ended by a signal, the shell ends and passes
 * nothing on, and this process would go on without them. It then ends as if the signal had been its own.
 *
 * @param environment what npm sets in it says whether npx began this process.
 */
export function endWithNpx(environment: NodeJS.ProcessEnv): void {
  if (environment.npm_command !== 'exec') return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, LOOK_EVERY_MS)
  timer.unref()
}
